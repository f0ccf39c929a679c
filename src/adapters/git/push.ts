import { stat } from "node:fs/promises";
import { TransientError, UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import type { GitPush } from "../../core/ports.ts";
import { type GitContext, mirrorDir } from "./layout.ts";
import { ensureMirror, inMirror, nameOf } from "./mirror.ts";
import { objectId, refName } from "./names.ts";
import { callRemote, failureOf, type RemoteAnswer, Unauthorized } from "./remote.ts";
import { git, type RunningGit } from "./run-git.ts";
import { unlessAbsent } from "./unless-absent.ts";

/** Private refs are ours alone, so they may be overwritten. */
const PRIVATE = /^refs\/draftsmith\//;

/** Pushes from mirrors to GitHub. */
export function createPushes(context: GitContext): GitPush {
  const push = (
    repo: RepoRef,
    dir: string,
    options: string[],
    refspec: string,
    token: string,
    signal?: AbortSignal,
  ) => {
    const flags = ["--porcelain", "--no-verify", ...options, "--end-of-options"];
    const args = (url: string) => ["push", ...flags, url, refspec];
    return cutBy(signal, (started) =>
      callRemote(context, repo, dir, args, token, [0, 1], started).catch((error: unknown) => {
        throw error instanceof Unauthorized ? passing(error) : error;
      }),
    );
  };

  return {
    pushRef: (repo, commit, ref, token, signal) =>
      inMirror(context, repo, async (dir) => {
        requirePrivate(ref);
        const pushed = await push(repo, dir, [], `+${objectId(commit)}:${ref}`, token, signal);
        requireTaken(repo, ref, pushed);
      }),

    async deleteRef(repo, ref, token) {
      requirePrivate(ref);
      // Whoever ended the job may have had its mirror on a machine that is gone; an empty one serves.
      if ((await unlessAbsent(stat(mirrorDir(context.workDir, repo)))) === null) {
        await context.lock(`mirror:${repo.id}`, () => ensureMirror(context, repo));
      }
      await inMirror(context, repo, async (dir) => {
        const pushed = await push(repo, dir, [], `:${ref}`, token);
        if (!/remote ref does not exist/.test(pushed.stderr)) requireTaken(repo, ref, pushed);
      });
    },

    pushBranch: (repo, commit, branch, expectedOld, token) =>
      inMirror(context, repo, async (dir) => {
        const ref = refName(`refs/heads/${branch}`);
        const known = await git(dir, ["cat-file", "-e", objectId(commit)], { codes: [0, 1] });
        if (known.code !== 0) {
          throw new TransientError(
            `GitHub found no branch ${branch} of ${nameOf(repo)} to move, and git cannot push ${commit.slice(0, 12)}, which only GitHub has`,
          );
        }
        if (expectedOld !== null) await requireFollows(dir, commit, objectId(expectedOld));
        const lease = `--force-with-lease=${ref}:${expectedOld ?? ""}`;
        const pushed = await push(repo, dir, [lease], `${commit}:${ref}`, token);
        if (pushed.code === 0) return { status: "done" };
        const stands = await standsAt(context, repo, dir, ref, token);
        // What an earlier try pushed before its answer was lost.
        if (stands === commit) return { status: "done" };
        if (stands !== null && stands !== expectedOld) return { status: "moved", sha: stands };
        if (stands === null && expectedOld !== null) {
          throw new UserError(`The branch ${branch} is not in ${nameOf(repo)} any more.`);
        }
        return requireTaken(repo, ref, pushed);
      }),
  };
}

/** Does `work` until the signal aborts; then ends the git that it started, and throws the reason. */
async function cutBy<T>(
  signal: AbortSignal | undefined,
  work: (started: (running: RunningGit) => void) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  let running: RunningGit | null = null;
  const cut = () => running?.kill();
  signal?.addEventListener("abort", cut, { once: true });
  try {
    return await work((started) => {
      running = started;
      if (signal?.aborted) cut();
    });
  } catch (thrown) {
    signal?.throwIfAborted();
    throw thrown;
  } finally {
    signal?.removeEventListener("abort", cut);
  }
}

/** Whoever tries again brings a fresh token, or learns that there is none any more. */
function passing(refused: Unauthorized): TransientError {
  return new TransientError(refused.message, { cause: refused });
}

function requirePrivate(ref: string): void {
  if (!PRIVATE.test(refName(ref))) throw new Error(`${ref} is not one of our private refs`);
}

/** A lease alone would let a push throw commits away; ours only ever add. */
async function requireFollows(dir: string, commit: string, old: string): Promise<void> {
  const args = ["merge-base", "--is-ancestor", old, commit];
  const { code } = await git(dir, args, { codes: [0, 1] });
  if (code !== 0) throw new Error(`${commit} does not follow ${old}, so it was not pushed`);
}

async function standsAt(
  context: GitContext,
  repo: RepoRef,
  dir: string,
  ref: string,
  token: string,
): Promise<string | null> {
  const args = (url: string) => ["ls-remote", "--refs", "--end-of-options", url, ref];
  const { stdout } = await callRemote(context, repo, dir, args, token);
  const line = stdout.split("\n").find((each) => each.endsWith(`\t${ref}`));
  return line === undefined ? null : objectId(line.split("\t")[0] ?? "");
}

/** Throws unless every ref was taken, with GitHub's own reason. */
function requireTaken(repo: RepoRef, ref: string, pushed: RemoteAnswer): { status: "done" } {
  if (pushed.code === 0) return { status: "done" };
  const reason = /\[(?:remote )?rejected\] \((.+)\)/.exec(pushed.stdout)?.[1];
  const failure = failureOf(repo, pushed.code, `${pushed.stderr}\n${reason ?? ""}`);
  if (failure instanceof Unauthorized) throw passing(failure);
  if (reason === undefined || failure instanceof TransientError) throw failure;
  const said = [...pushed.stderr.matchAll(/^remote: (?:error: )?(.*\S)/gm)].map(
    (match) => match[1],
  );
  const more = said.length > 0 ? `: ${said.slice(0, 5).join(" ")}` : "";
  throw new UserError(`GitHub did not take ${ref} in ${nameOf(repo)} (${reason})${more}`);
}
