import { mkdtemp } from "node:fs/promises";
import path from "node:path";
import { Writable } from "node:stream";
import type { CommandResult, Workspace } from "../../core/ports.ts";
import { type GitContext, giveAway, type Place } from "./layout.ts";
import { ownerOf } from "./owner.ts";

/** Longest time to take a tree that is to be published. */
export const TAKE_TIMEOUT_MS = 5 * 60_000;
/** Exit code of the script when git could not read the tree, in words it printed. */
export const UNREADABLE = 65;

/**
 * Runs inside the sandbox, with a git directory made for this once: nothing the agent left in its own
 * (index, configuration, hooks, refs) is looked at. It starts from the index of the checkout, so that
 * unchanged files are not read again. Prints the tree's id, a line end, and, unless it is the `known`
 * one, a commit of it and the objects as a thin pack.
 */
const TAKE = `set -eu
tree=$2 objects=$3 index=$4 parent=$5 known=$6 opened=$7
export GIT_DIR=$1 HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent LC_ALL=C GIT_LITERAL_PATHSPECS=1
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1
export GIT_AUTHOR_NAME=taken GIT_AUTHOR_EMAIL=taken GIT_AUTHOR_DATE=2000-01-01T00:00:00Z
export GIT_COMMITTER_NAME=taken GIT_COMMITTER_EMAIL=taken GIT_COMMITTER_DATE=2000-01-01T00:00:00Z
umask 077
# What git init would make, without its process: this runs after every step.
mkdir "$GIT_DIR/objects" "$GIT_DIR/objects/info" "$GIT_DIR/objects/pack" "$GIT_DIR/refs"
printf 'ref: refs/heads/taken\\n' >"$GIT_DIR/HEAD"
printf '%s\\n' "$objects" >"$GIT_DIR/objects/info/alternates"
printf '%s\\n' '[core]
repositoryformatversion = 0
filemode = true
bare = false
hooksPath = /dev/null
fsmonitor = false
untrackedCache = false
excludesFile = /dev/null
attributesFile = /dev/null
protectHFS = true
protectNTFS = true
safecrlf = false
looseCompression = 1
[advice]
addEmbeddedRepo = false
[gc]
auto = 0' >"$GIT_DIR/config"
cp -p -- "$index" "$GIT_DIR/index"
export GIT_WORK_TREE=$tree
cd -- "$tree"
git add -A || exit ${UNREADABLE}
taken=$(git write-tree)
printf '%s\\n' "$taken"
[ "$taken" != "$known" ] || exit 0
commit=$(git commit-tree "$taken" -p "$parent" </dev/null)
printf '%s\\n' "$commit" "^$parent" "^$opened" |
  git pack-objects -q --revs --thin --delta-base-offset --stdout
`;

/** What a tree is taken from. */
export interface TakenFrom {
  workspace: Workspace;
  place: Place;
  /** The mirror's object directory. */
  objects: string;
  /** The commit the workspace was cut from. */
  opened: string;
  /** The commit that the pack stands on. */
  parent: string;
  /** A tree that needs no pack; empty for none. */
  known: string;
  maxPackBytes: number;
  timeoutMs: number;
}

/** Takes the tree inside the sandbox; `stdout` receives the line and the pack. */
export async function take(
  context: GitContext,
  from: TakenFrom,
  stdout: Writable,
): Promise<CommandResult> {
  const { workspace, place, objects } = from;
  const gitDir = await mkdtemp(path.join(place.dir, "take-"));
  try {
    const owner = await ownerOf(context, place);
    giveAway(gitDir, owner);
    // The agent may have closed it to its own user.
    giveAway(place.tree, owner);
    return await context.sandbox.run({
      workspace: {
        ...workspace,
        writable: [place.tree, gitDir, place.home, place.tmp],
        readable: [objects, place.index],
      },
      script: TAKE,
      args: [gitDir, place.tree, objects, place.index, from.parent, from.known, from.opened],
      stdout,
      timeoutMs: from.timeoutMs,
      // The reader of the pack refuses what is too large; this stops what it no longer reads.
      maxOutputBytes: from.maxPackBytes + 1024 * 1024,
      keepBytes: 4000,
    });
  } finally {
    await context.trash.discard(gitDir);
  }
}

/** Splits the stream into its first line and the pack that follows, whose chunks go to `write`. */
export function splitTaken(write: (pack: Buffer, done: () => void) => void): {
  stdout: Writable;
  /** The first line as far as it came: the id of the tree, not yet checked. */
  tree(): string;
} {
  let tree: string | null = null;
  let before = Buffer.alloc(0);
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (tree !== null) return write(chunk, done);
      before = Buffer.concat([before, chunk]);
      const end = before.indexOf(10);
      // The longest line there may be is an id of 64 digits.
      if (end === -1 && before.length <= 64) return done();
      tree = before.subarray(0, end).toString("latin1").slice(0, 100);
      const pack = before.subarray(end + 1);
      if (pack.length === 0) done();
      else write(pack, done);
    },
  });
  return { stdout, tree: () => tree ?? "" };
}
