import { mkdtemp, readdir, rename } from "node:fs/promises";
import path from "node:path";
import { TransientError } from "../../core/errors.ts";
import type { Snapshot, Workspaces } from "../../core/ports.ts";
import { howStopped } from "../../core/stopped.ts";
import { type ChangedObject, changedObjects, countLines } from "./changed-files.ts";
import { commitTree, treeOf } from "./commit.ts";
import { MAX_PACK_BYTES, refusal, TOO_LARGE } from "./gates.ts";
import { type GitContext, placeOf, removeAll } from "./layout.ts";
import { followLinks, sizesOf } from "./links.ts";
import { inMirror } from "./mirror.ts";
import { objectId } from "./names.ts";
import { openedFrom } from "./open.ts";
import { GitFailure, git, startGit } from "./run-git.ts";
import { type Taken, take, UNREADABLE } from "./take.ts";

/** A single allocation may not be larger, whatever size an object in a pack claims to have. */
const MAX_ALLOCATION = "1g";
const CHECK_FAILED = "git's check of the new files failed";

/** Takes snapshots: see the port. */
export function createSnapshot(context: GitContext): Workspaces["snapshot"] {
  return (workspace, repo, parent, message) =>
    inMirror(context, repo, async (dir) => {
      objectId(parent);
      const place = placeOf(context.workDir, workspace.jobId);
      const opened = await openedFrom(place);
      if (opened === null) throw new Error(`the workspace of job ${workspace.jobId} is not open`);
      const parentTree = await treeOf(dir, parent);
      const objects = path.join(dir, "objects");
      // Objects stay apart from the mirror's own until every gate is passed, as in git's receive-pack.
      const incoming = await mkdtemp(path.join(dir, "incoming-"));
      const env = {
        GIT_OBJECT_DIRECTORY: incoming,
        GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
      };
      try {
        const from = { workspace, place, objects, opened, parent, parentTree };
        const taken = await take(context, { ...from, maxPackBytes: MAX_PACK_BYTES }, () =>
          unpack(dir, env),
        );
        if (taken.result.exitCode !== 0) await requireWhole(dir, parentTree);
        const reason = failureOf(taken);
        if (reason !== null) return { status: "refused", reason };
        const tree = objectId(taken.tree);
        if (tree === parentTree) return { status: "empty" };
        const checked = await examine(dir, env, parentTree, tree).catch(async (error: unknown) => {
          if (!(error instanceof GitFailure)) throw error;
          await requireWhole(dir, parentTree);
          return `${CHECK_FAILED}: ${error.stderr.trim().slice(-1000)}`;
        });
        if (typeof checked === "string") return { status: "refused", reason: checked };
        if (checked.length === 0) return { status: "empty" };
        await keepPacks(incoming, objects);
        const commit = await commitTree(dir, tree, parent, message);
        await keepCommit(dir, workspace.jobId, commit);
        return { status: "change", commit, tree, files: checked.map(withoutId) } satisfies Snapshot;
      } finally {
        await removeAll(incoming);
        for (const name of await readdir(place.dir)) {
          if (name.startsWith("take-")) await context.trash.discard(path.join(place.dir, name));
        }
      }
    });
}

/** Reads a pack that may be anything: its objects are checked one by one (trust.md T16). */
function unpack(dir: string, env: Record<string, string>) {
  const flags = ["--stdin", "--fix-thin", "--strict", "--threads=1"];
  return startGit(
    dir,
    [
      "-c",
      "core.bigFileThreshold=32m",
      "index-pack",
      ...flags,
      `--max-input-size=${MAX_PACK_BYTES}`,
    ],
    { env: { ...env, GIT_ALLOC_LIMIT: MAX_ALLOCATION }, stdin: true },
  );
}

/** What went wrong, in words for the agent; null when nothing did. Throws for what is not its doing. */
function failureOf({ result, unpacked }: Taken): string | null {
  if (result.stopped === "timeout") {
    return "Reading the changed files took more than five minutes. Remove generated files, or list them in .gitignore.";
  }
  if (result.stopped === "memory" || result.stopped === "disk" || result.stopped === "cpu") {
    return `Reading the changed files was ${howStopped(result.stopped)}. Remove generated files, or list them in .gitignore.`;
  }
  if (result.exitCode === UNREADABLE) {
    return `git could not read the files: ${result.output.trim()}`;
  }
  if (result.stopped === "output" || /maximum allowed size/.test(unpacked?.stderr ?? "")) {
    return TOO_LARGE;
  }
  if (/No space left on device|Disk quota exceeded/.test(unpacked?.stderr ?? "")) {
    throw new TransientError("the server's disk is full");
  }
  if (unpacked !== null && unpacked.code !== 0) {
    return `${CHECK_FAILED}: ${unpacked.stderr.trim().slice(-1000)}`;
  }
  if (result.exitCode !== 0) throw new Error(`a change could not be taken: ${result.output}`);
  return null;
}

/** A failure in the sandbox may come from a damaged mirror, which only the host can tell and mend. */
async function requireWhole(dir: string, tree: string): Promise<void> {
  await git(dir, ["rev-list", "--objects", "--count", "--end-of-options", tree]);
}

/** The changed files once every gate is passed, or why one is not. Throws GitFailure when objects are missing. */
async function examine(
  dir: string,
  env: Record<string, string>,
  parentTree: string,
  tree: string,
): Promise<ChangedObject[] | string> {
  const { stdout } = await git(dir, ["cat-file", "--batch-check"], { input: `${tree}\n`, env });
  if (!stdout.startsWith(`${tree} tree `)) return `${CHECK_FAILED}: ${tree} is not a tree`;
  const walk = ["rev-list", "--objects", "--count", "--end-of-options", tree, `^${parentTree}`];
  await git(dir, walk, { env });
  const files = await changedObjects(dir, parentTree, tree, env);
  const objects = files.filter(({ newMode }) => newMode.startsWith("1") && newMode !== "160000");
  const ids = objects.map(({ newId }) => newId);
  const examined = {
    ...(await followLinks(dir, tree, files, env)),
    sizes: await sizesOf(dir, ids, env),
  };
  // Only what may be kept is looked into.
  return refusal(examined) ?? countLines(dir, parentTree, tree, examined.files, env);
}

/** The index of a pack goes last: without it git does not look at the pack. */
async function keepPacks(incoming: string, objects: string): Promise<void> {
  const from = path.join(incoming, "pack");
  const names = (await readdir(from)).filter((name) => name.startsWith("pack-"));
  const order = [
    ...names.filter((name) => !name.endsWith(".idx")),
    ...names.filter((name) => name.endsWith(".idx")),
  ];
  for (const name of order) await rename(path.join(from, name), path.join(objects, "pack", name));
}

async function keepCommit(dir: string, jobId: string, commit: string): Promise<void> {
  await git(dir, ["update-ref", "--end-of-options", `refs/draftsmith/jobs/${jobId}`, commit]);
}

function withoutId({ oldId: _, newId: __, ...file }: ChangedObject) {
  return file;
}
