import { TransientError, toError, UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import type { GitToken, Workspaces } from "../../core/ports.ts";
import { DISK_FULL, isDiskFull } from "./disk-full.ts";
import { type GitContext, mirrorDir } from "./layout.ts";
import {
  comesFromDamage,
  ensureMirror,
  isDamage,
  nameOf,
  refuseLocked,
  setAside,
  tidy,
} from "./mirror.ts";
import { objectId } from "./names.ts";
import { callRemote, Unauthorized } from "./remote.ts";
import { dropHalf, inRoom } from "./room.ts";
import { GitFailure, git } from "./run-git.ts";

/** What waits for the next fetch of one mirror. */
interface Batch {
  shas: Set<string>;
  done: Promise<void>;
}

/**
 * Fetches into mirrors. Whoever asks while a fetch runs joins the one that follows it, which looks
 * first whether anything is still missing.
 */
export function createFetch(context: GitContext): Workspaces["fetch"] {
  const batches = new Map<number, Batch>();

  function join(repo: RepoRef, token: GitToken): Batch {
    const known = batches.get(repo.id);
    if (known) return known;
    const batch: Batch = {
      shas: new Set(),
      done: context.lock(`mirror:${repo.id}`, () => {
        batches.delete(repo.id);
        return bringUpToDate(context, repo, batch, token);
      }),
    };
    batches.set(repo.id, batch);
    return batch;
  }

  return async (repo, shas, token) => {
    shas.map(objectId);
    const dir = mirrorDir(context.workDir, repo);
    if (isWhole(await look(dir, shas))) return;
    const batch = join(repo, token);
    for (const sha of shas) batch.shas.add(sha);
    await batch.done;
    const [sha] = (await look(dir, shas)).missing;
    if (sha) {
      throw new UserError(
        `The commit ${sha.slice(0, 12)} is not in ${nameOf(repo)} any more (was the branch force-pushed?).`,
      );
    }
  };
}

async function bringUpToDate(
  context: GitContext,
  repo: RepoRef,
  batch: Batch,
  token: GitToken,
): Promise<void> {
  try {
    await update(context, repo, batch, token);
  } catch (error) {
    const why = error instanceof TransientError ? error.cause : error;
    if (isDiskFull(why)) {
      await dropHalf(mirrorDir(context.workDir, repo));
      throw new TransientError(DISK_FULL, { cause: why });
    }
    await refuseLocked(mirrorDir(context.workDir, repo), repo, why);
    if (!(await comesFromDamage(mirrorDir(context.workDir, repo), error))) throw error;
    await setAside(context, repo, toError(error));
    await update(context, repo, batch, token);
  }
}

async function update(
  context: GitContext,
  repo: RepoRef,
  batch: Batch,
  token: GitToken,
): Promise<void> {
  const dir = await ensureMirror(context, repo);
  await tidy(dir);
  const shas = [...batch.shas];
  const found = await look(dir, shas);
  if (found.failure !== null) throw found.failure;
  if (found.missing.length === 0) return;
  const transfer = async (options: string[], ...refspecs: string[]) => {
    const { code, stderr } = await withFreshToken(token, (each) =>
      inRoom(context, dir, (started) =>
        callRemote(
          context,
          repo,
          dir,
          (url) => fetchArgs(options, url, refspecs),
          each,
          [0],
          started,
        ),
      ),
    );
    refuseDamage(new GitFailure("fetch", code, stderr));
  };
  await transfer(["--prune"], "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*");
  // No branch leads there any more, or only a pull request does; GitHub may still give it by name.
  for (const sha of (await look(dir, shas)).missing) {
    await transfer([], `+${sha}:refs/draftsmith/fetched/${sha}`).catch(
      unless(/not our ref|unadvertised/),
    );
  }
}

function fetchArgs(options: string[], url: string, refspecs: string[]): string[] {
  const flags = ["--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-progress"];
  return ["fetch", ...options, "--force", ...flags, "--end-of-options", url, ...refspecs];
}

/** A pack that cannot be read makes git complain, and go on as if it were not there. */
function refuseDamage(complaint: GitFailure): void {
  if (isDamage(complaint)) throw complaint;
}

/** Tries once more with another token, because one may expire on the way (F25). */
async function withFreshToken<T>(token: GitToken, work: (token: string) => Promise<T>): Promise<T> {
  const first = await token();
  try {
    return await work(first);
  } catch (error) {
    if (!(error instanceof Unauthorized)) throw error;
    return await work(await token(first)).catch((again: unknown) => {
      // A token minted a moment ago may not be known everywhere yet.
      if (!(again instanceof Unauthorized)) throw again;
      throw new TransientError(again.message, { cause: again });
    });
  }
}

/** Takes a failure whose words match as an answer; every other one passes. */
function unless(expected: RegExp): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof GitFailure) || !expected.test(error.stderr)) throw error;
  };
}

function isWhole({ missing, failure }: Awaited<ReturnType<typeof look>>): boolean {
  return missing.length === 0 && failure === null;
}

/** Which of these commits the mirror does not hold, and what git complained of while looking. */
async function look(
  dir: string,
  shas: string[],
): Promise<{ missing: string[]; failure: GitFailure | null }> {
  if (shas.length === 0) return { missing: [], failure: null };
  const { code, stdout, stderr } = await git(dir, ["cat-file", "--batch-check"], {
    input: `${shas.join("\n")}\n`,
    codes: [0, 128],
  });
  const held = new Set(
    stdout.split("\n").flatMap((line) => (/^([0-9a-f]+) commit /.exec(line) ?? []).slice(1)),
  );
  const complaint = new GitFailure("cat-file", code, stderr);
  const failure = code !== 0 || isDamage(complaint) ? complaint : null;
  return { missing: shas.filter((sha) => !held.has(sha)), failure };
}
