import path from "node:path";
import { TransientError } from "../../core/errors.ts";
import type { CommandResult, Snapshot, Workspaces } from "../../core/ports.ts";
import { howStopped } from "../../core/stopped.ts";
import { type ChangedObject, changedObjects, countLines } from "./changed-files.ts";
import { commitTree, treeOf } from "./commit.ts";
import { DISK_FULL, saysDiskFull } from "./disk-full.ts";
import { MAX_PACK_BYTES, refusal, TOO_LARGE } from "./gates.ts";
import { type Incoming, withIncoming } from "./incoming.ts";
import { type GitContext, placeOf } from "./layout.ts";
import { followLinks, sizesOf } from "./links.ts";
import { inMirror } from "./mirror.ts";
import { objectId } from "./names.ts";
import { openedFrom } from "./open.ts";
import { GitFailure, git, type RunningGit } from "./run-git.ts";
import { splitTaken, TAKE_TIMEOUT_MS, type TakenFrom, take, UNREADABLE } from "./take.ts";

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
      return withIncoming(dir, async (incoming) => {
        const from = { workspace, place, objects, opened, parent, known: parentTree };
        const taken = await takeInto(context, from, incoming);
        if (taken.result.exitCode !== 0) await requireWhole(dir, parentTree);
        const reason = failureOf(taken);
        if (reason !== null) return { status: "refused", reason };
        const tree = objectId(taken.tree);
        if (tree === parentTree) return { status: "empty" };
        const { env } = incoming;
        const checked = await examine(dir, env, parentTree, tree).catch(async (error: unknown) => {
          if (!(error instanceof GitFailure)) throw error;
          await requireWhole(dir, parentTree);
          return `${CHECK_FAILED}: ${error.stderr.trim().slice(-1000)}`;
        });
        if (typeof checked === "string") return { status: "refused", reason: checked };
        if (checked.length === 0) return { status: "empty" };
        await incoming.keep();
        const commit = await commitTree(dir, tree, parent, message);
        await keepCommit(dir, workspace.jobId, commit);
        return { status: "change", commit, tree, files: checked.map(withoutId) } satisfies Snapshot;
      });
    });
}

/** What came out of the sandbox. */
interface Taken {
  /** The first line: the id of the tree, not yet checked. */
  tree: string;
  /** How the reader of the pack ended; null when there was no pack. */
  unpacked: { code: number | null; stderr: string } | null;
  result: CommandResult;
}

/** Takes a tree; the reader of the pack is started with its first byte. */
async function takeInto(
  context: GitContext,
  from: Omit<TakenFrom, "maxPackBytes" | "timeoutMs">,
  incoming: Incoming,
): Promise<Taken> {
  const reader: { running: RunningGit | null } = { running: null };
  const { stdout, tree } = splitTaken((pack, done) => {
    reader.running ??= incoming.read(MAX_PACK_BYTES);
    const { stdin } = reader.running.child;
    // Once the reader has gone there is nobody to write to, and its last words are what counts.
    if (stdin?.writable) stdin.write(pack, () => done());
    else done();
  });
  const bounds = { maxPackBytes: MAX_PACK_BYTES, timeoutMs: TAKE_TIMEOUT_MS };
  const result = await take(context, { ...from, ...bounds }, stdout).finally(async () => {
    reader.running?.child.stdin?.end();
    await reader.running?.ended;
  });
  return { tree: tree(), unpacked: (await reader.running?.ended) ?? null, result };
}

/** What went wrong, in words for the agent; null when nothing did. Throws for what is not its doing. */
function failureOf({ result, unpacked }: Taken): string | null {
  const said = `${result.exitCode === 0 ? "" : result.output}\n${unpacked?.stderr ?? ""}`;
  if (result.stopped === null && saysDiskFull(said)) throw new TransientError(DISK_FULL);
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

/** Keeps a commit of a job alive in the mirror. */
export async function keepCommit(dir: string, jobId: string, commit: string): Promise<void> {
  await git(dir, ["update-ref", "--end-of-options", `refs/draftsmith/jobs/${jobId}`, commit]);
}

function withoutId({ oldId: _, newId: __, ...file }: ChangedObject) {
  return file;
}
