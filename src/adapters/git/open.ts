import {
  chmod,
  chown,
  copyFile,
  lstat,
  readFile,
  rename,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { TransientError, toError, UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import type { Workspace, Workspaces } from "../../core/ports.ts";
import { howStopped } from "../../core/stopped.ts";
import { close } from "./close.ts";
import { EMAIL } from "./commit.ts";
import { DISK_FULL, saysDiskFull } from "./disk-full.ts";
import {
  type GitContext,
  giveAway,
  type Place,
  placeOf,
  removeAll,
  type SandboxUser,
} from "./layout.ts";
import { inMirror, nameOf } from "./mirror.ts";
import { makeShelf } from "./mount-skill.ts";
import { objectId } from "./names.ts";
import { ownerOf, settle } from "./owner.ts";
import { git, gitRecords } from "./run-git.ts";
import { unlessAbsent } from "./unless-absent.ts";
import { isRegistered, registerWorktree } from "./worktrees.ts";

const MAX_FILES = 200_000;
/** From here on waiting for the next second costs less than reading every file again. */
const MANY_FILES = 1000;
const CHECKOUT_TIMEOUT_MS = 10 * 60_000;
/** Branches and tags the agent sees besides its own, the newest first. */
const MAX_REFS = 1000;

/**
 * Makes the agent's own repository and checks the files out, both inside the sandbox: they belong to
 * its uid, and whatever the repository's attributes start there starts in there.
 */
const CHECKOUT = `set -eu
umask 022
sha=$1 tree=$2 objects=$4 settle=$5 from=$6
export GIT_DIR=$3 GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 LC_ALL=C
GIT_WORK_TREE=$tree git init -q --template= --initial-branch=work
printf '%s\\n' "$objects" >"$GIT_DIR/objects/info/alternates"
cat >"$GIT_DIR/packed-refs"
git config user.name Draftsmith
git config user.email ${EMAIL}
git config core.protectHFS true
git config core.protectNTFS true
git config gc.auto 0
git config advice.detachedHead false
git update-ref refs/heads/work "$sha"
cd -- "$tree"
git reset -q --hard
git diff-files --quiet || settle=yes
# The files of an earlier workspace: its commits and its index are gone with it.
if [ -n "$from" ]; then
  git read-tree --reset -u "$from"
  git reset -q --mixed
fi
# git reads files again that are as young as the index. That is slow where there are many, and where
# attributes and stored line ends disagree they would look changed: there the index becomes younger.
if [ "$settle" = yes ]; then
  second=$(date +%s)
  while [ "$(date +%s)" = "$second" ]; do sleep 0.05; done
  sleep 0.02
  touch "$GIT_DIR/index"
fi
`;

/** Opens workspaces: see the port. */
export function createOpen(context: GitContext): Workspaces["open"] {
  return async ({ jobId, repo, sha, from, fence, resume }) => {
    objectId(sha);
    const place = placeOf(context.workDir, jobId);
    return inMirror(context, repo, async (dir) => {
      if (resume !== null && (await isIntact(place, dir, record(repo, sha, resume)))) {
        // Left by a git that was killed; the agent would only find out the hard way.
        await removeAll(path.join(place.git, "index.lock"));
        const owner = await ownerOf(context, place);
        return { ...workspaceOf(jobId, place, dir, owner), resumed: true };
      }
      // What a crash left, or an older try.
      await close(context, jobId, repo);
      const files = (await from?.()) ?? null;
      const counts = [sha, ...(files === null ? [] : [files])];
      const most = Math.max(
        ...(await Promise.all(counts.map((commit) => countFiles(dir, repo, commit)))),
      );
      try {
        const owner = await settle(context, place);
        const workspace = workspaceOf(jobId, place, dir, owner);
        const opened = record(repo, sha, fence);
        await build(context, {
          workspace,
          owner,
          place,
          dir,
          repo,
          sha,
          from: files,
          opened,
          files: most,
        });
        return { ...workspace, resumed: false };
      } catch (thrown) {
        await close(context, jobId, repo);
        throw toError(thrown);
      }
    });
  };
}

/** The commit a workspace was cut from; null when it was never opened whole. */
export async function openedFrom(place: Place): Promise<string | null> {
  const text = await unlessAbsent(readFile(place.record, "utf8"));
  return text === null ? null : objectId(text.split(" ")[1] ?? "");
}

function workspaceOf(jobId: string, place: Place, dir: string, owner: SandboxUser): Workspace {
  const { tree, home, tmp, skills } = place;
  const writable = [tree, place.git, home, tmp];
  // One that an earlier version opened has none.
  makeShelf(place);
  // Of the mirror only the objects: its configuration and its worktrees stay out of sight.
  const readable = [path.join(dir, "objects")];
  return {
    jobId,
    tree,
    writable,
    readable: [...readable, skills],
    home,
    tmp,
    uid: owner?.uid ?? null,
  };
}

/** Names a workspace among all that were ever opened for the job; those of fence 0 are from before that. */
function record(repo: RepoRef, sha: string, fence: number): string {
  return fence === 0 ? `${repo.id} ${sha}` : `${repo.id} ${sha} ${fence}`;
}

async function isIntact(place: Place, dir: string, opened: string): Promise<boolean> {
  if ((await unlessAbsent(readFile(place.record, "utf8"))) !== opened) return false;
  const parts = [place.tree, place.git, place.home, place.tmp, place.index];
  const found = await Promise.all(parts.map((part) => unlessAbsent(stat(part))));
  return !found.includes(null) && (await isRegistered(dir, place.tree));
}

/**
 * Counts before anything is written: a small tree object can name billions of files, or of empty
 * directories (trust.md T21).
 */
async function countFiles(dir: string, repo: RepoRef, sha: string): Promise<number> {
  let files = 0;
  let directories = 0;
  for await (const record of gitRecords(dir, ["ls-tree", "-r", "-t", "-z", sha])) {
    if (record.subarray(0, 2).toString() === "04") directories += 1;
    else files += 1;
    if (Math.max(files, directories) <= MAX_FILES) continue;
    throw new UserError(
      `${nameOf(repo)} holds more than ${MAX_FILES.toLocaleString("en")} files or directories at ${sha.slice(0, 12)}, which is more than a job can work on.`,
    );
  }
  return files;
}

async function build(
  context: GitContext,
  parts: {
    workspace: Workspace;
    owner: SandboxUser;
    place: Place;
    dir: string;
    repo: RepoRef;
    sha: string;
    from: string | null;
    /** What the record will say. */
    opened: string;
    files: number;
  },
): Promise<void> {
  const { workspace, owner, place, dir, repo, sha, from, files } = parts;
  await registerWorktree(dir, place.tree, sha, workspace.jobId);
  // The agent gets a repository of its own; the registered one is never within its reach (T1, T3).
  const pointer = path.join(place.tree, ".git");
  await writeFile(pointer, `gitdir: ${place.git}\n`, { mode: 0o644 });
  // Git trusts no pointer of another user.
  if (owner !== null) await chown(pointer, owner.uid, owner.gid);
  for (const inner of [place.tree, place.git, place.home, place.tmp]) giveAway(inner, owner);
  const checkout = await context.sandbox.run({
    workspace,
    script: CHECKOUT,
    args: [
      sha,
      place.tree,
      place.git,
      path.join(dir, "objects"),
      files > MANY_FILES ? "yes" : "no",
      from === null ? "" : objectId(from),
    ],
    stdin: await visibleRefs(dir),
    timeoutMs: CHECKOUT_TIMEOUT_MS,
    maxOutputBytes: 10 * 1024 * 1024,
    keepBytes: 4000,
  });
  if (checkout.exitCode !== 0) {
    const said = checkout.output.trim();
    if (checkout.stopped === null && saysDiskFull(said)) throw new TransientError(DISK_FULL);
    const why = checkout.stopped ? `it was ${howStopped(checkout.stopped)}\n\n${said}` : said;
    throw new UserError(`${nameOf(repo)} could not be checked out at ${sha.slice(0, 12)}: ${why}`);
  }
  await keepIndex(place);
  await writeFile(`${place.record}.new`, parts.opened, { mode: 0o600 });
  await rename(`${place.record}.new`, place.record);
}

/**
 * Keeps the index of the fresh checkout out of the agent's reach. It must not look younger than it is:
 * git compares the content of every file that is as young as the index, and that is how it sees an edit
 * made within the second of the checkout.
 */
async function keepIndex(place: Place): Promise<void> {
  const from = path.join(place.git, "index");
  const found = await lstat(from);
  if (!found.isFile()) throw new Error(`${from} is not a file`);
  await copyFile(from, place.index);
  await chmod(place.index, 0o644);
  const second = Math.floor(found.mtimeMs / 1000);
  await utimes(place.index, second, second);
}

/** Branches and tags of the mirror, as lines of a packed-refs file. */
async function visibleRefs(dir: string): Promise<string> {
  const { stdout } = await git(dir, [
    "for-each-ref",
    `--count=${MAX_REFS}`,
    "--sort=-creatordate",
    "--format=%(objectname) %(refname)",
    "--",
    "refs/remotes/origin",
    "refs/tags",
  ]);
  // A name that was not UTF-8 came through damaged.
  return stdout
    .split("\n")
    .filter((line) => line !== "" && !line.includes("\ufffd"))
    .concat("")
    .join("\n");
}
