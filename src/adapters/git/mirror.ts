import { randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstat, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { TransientError, toError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import { DISK_FULL, isDiskFull } from "./disk-full.ts";
import { type GitContext, mirrorDir, removeAll } from "./layout.ts";
import { GitFailure, git } from "./run-git.ts";
import { unlessAbsent } from "./unless-absent.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Git holds its locks for seconds; an older one was left by a process that died. */
const LOCK_AGE_MS = MINUTE_MS;
/** Each fetch and each snapshot leaves a pack; searching many of them makes every call slow. */
const MAX_PACKS = 50;
/** End of the name of a mirror that is being made. */
export const HALF_MADE = ".new";

/**
 * The whole configuration of a mirror. It is compared before each use and written again when it
 * differs, so that no other key can ever take effect (trust.md T4, T9, T10). Files are readable by
 * the sandbox whatever the server's umask; the directories above keep everybody else out.
 */
const CONFIG = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tsharedRepository = 0644
`;

/**
 * What git would obey besides the configuration, and no mirror of ours ever has: other directories for
 * configuration and objects, hooks, attributes, forged parents.
 */
const FOREIGN = [
  ...["commondir", "gitdir", "config.worktree", "hooks", "shallow", "branches", "remotes"],
  ...["info/attributes", "info/grafts", "info/sparse-checkout"],
  ...["objects/info/alternates", "objects/info/http-alternates", "refs/replace"],
];

/** What git says when the mirror itself is damaged, rather than asked for something it does not have. */
const DAMAGED = [
  /packfile .* (does not match index|cannot be accessed|is far too short|is not a GIT packfile)/,
  /(packfile|pack) .*(index unavailable|corrupt)/,
  /(file|index) .* (is too small|is corrupt|non-monotonic index)/,
  /(loose|packed) object .* is corrupt/,
  /object file .* is empty/,
  /(hash|sha1) mismatch/,
  /inflate: data stream error/,
  /unable to (unpack|parse) [0-9a-f]{40,64} header/,
  /(unable to read|failed to read object|could not read) (tree|commit|blob|object)? ?\(?[0-9a-f]{40,64}/i,
  /missing (blob |tree |commit )?(object )?'?[0-9a-f]{40,64}/,
  /bad tree object/,
  /not a git repository/,
  /(unterminated|unexpected) line in .*packed-refs/,
  /bad ref for|invalid sha1 pointer|does not point to a valid object/,
  /did not send all necessary objects/,
];

/** What git complains of, too, when a worktree is forgotten while it goes through them; damage stays. */
const GOING = /worktrees\//;
const MAX_CHECKS = 5;

/** What git says when it is asked for a commit that the mirror does not have. */
const LACKING =
  /not something we can merge|bad object|not a tree object|not a valid (commit|object)|needed a single revision|nonexistent object/i;

/** What git says when another git has a file, or had it when it was killed. */
const LOCKED = /Unable to create '[^']*\.lock': File exists|could not lock config file/;

/** Whether a failure means that the mirror is damaged; what GitHub's side says does not count. */
export function isDamage(error: unknown): error is GitFailure {
  if (!(error instanceof GitFailure)) return false;
  const own = error.stderr.replace(/^remote:.*$/gm, "");
  return DAMAGED.some((pattern) => pattern.test(own));
}

/**
 * Whether a failure comes from a damaged mirror: by its words, by a file of it that is gone, as when another
 * set it aside, or, where git has other words, by a look at the mirror.
 */
export async function comesFromDamage(dir: string, error: unknown): Promise<boolean> {
  if (lacksFile(dir, error)) return true;
  if (!(error instanceof GitFailure)) return false;
  if (isDamage(error)) return true;
  const check = ["fsck", "--connectivity-only", "--no-dangling", "--no-progress"];
  for (let times = 1; ; times += 1) {
    const complaint = await git(dir, check, { silenceMs: HOUR_MS }).then(() => null, toError);
    if (complaint instanceof GitFailure && GOING.test(complaint.stderr) && times < MAX_CHECKS)
      continue;
    return complaint instanceof GitFailure;
  }
}

/**
 * Throws TransientError when git failed because of a lock. Locks of processes that died are removed once
 * they are older than any that git still needs.
 */
export async function refuseLocked(dir: string, repo: RepoRef, error: unknown): Promise<void> {
  if (!(error instanceof GitFailure) || !LOCKED.test(error.stderr)) return;
  await dropLeftovers(dir);
  throw new TransientError(`the mirror of ${nameOf(repo)} is locked by a git that was killed`, {
    cause: error,
  });
}

function lacksFile(dir: string, error: unknown): boolean {
  if (!(error instanceof Error && "code" in error && "path" in error)) return false;
  return error.code === "ENOENT" && String(error.path).startsWith(`${dir}${path.sep}`);
}

/**
 * The mirror of a repository, made when missing: others, who take no lock, find it whole or not at all.
 * Call under the mirror's lock.
 */
export async function ensureMirror(context: GitContext, repo: RepoRef): Promise<string> {
  const dir = mirrorDir(context.workDir, repo);
  if ((await unlessAbsent(stat(path.join(dir, "HEAD")))) === null) {
    const fresh = `${dir}${HALF_MADE}`;
    await removeAll(fresh);
    const flags = ["--bare", "--template=", "--shared=0644", "--initial-branch=none"];
    await git(fresh, ["init", ...flags, fresh]);
    await writeConfig(fresh);
    await removeAll(dir);
    await rename(fresh, dir);
  }
  await keepConfig(context, dir);
  return dir;
}

/**
 * Does `work` in an existing mirror. A damaged one is set aside, to be cloned again by the fetch that
 * begins the next try: that, and a missing mirror, are TransientErrors.
 */
export async function inMirror<T>(
  context: GitContext,
  repo: RepoRef,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = mirrorDir(context.workDir, repo);
  const found = await unlessAbsent(stat(dir));
  if (found === null) {
    throw new TransientError(`the mirror of ${nameOf(repo)} is not there; it is fetched again`);
  }
  const { using } = context;
  using.set(dir, (using.get(dir) ?? 0) + 1);
  try {
    await keepConfig(context, dir);
    // By this the janitor sees which mirror was used last.
    await unlessAbsent(utimes(path.join(dir, "HEAD"), new Date(), new Date()));
    return await work(dir);
  } catch (error) {
    if (isDiskFull(error)) throw new TransientError(DISK_FULL, { cause: error });
    const same = await unlessAbsent(stat(dir));
    if (same?.ino !== found.ino) {
      // Nothing that failed in it says anything about the one that took its place.
      throw new TransientError(`the mirror of ${nameOf(repo)} was cloned again meanwhile`, {
        cause: error,
      });
    }
    await refuseLocked(dir, repo, error);
    if (!(await comesFromDamage(dir, error))) {
      if (!(error instanceof GitFailure && LACKING.test(error.stderr))) throw error;
      // A mirror that another job found damaged was cloned again, without what this one had made.
      throw new TransientError(
        `the mirror of ${nameOf(repo)} lacks a commit of the job, which is brought again`,
        { cause: error },
      );
    }
    // Only the mirror that failed: by now another job may have cloned it again.
    if ((await unlessAbsent(stat(dir)))?.ino === found.ino)
      await setAside(context, repo, toError(error));
    throw new TransientError(`the mirror of ${nameOf(repo)} was damaged; it is fetched again`, {
      cause: error,
    });
  } finally {
    const others = (using.get(dir) ?? 1) - 1;
    if (others > 0) using.set(dir, others);
    else using.delete(dir);
  }
}

/** Moves a damaged mirror out of the way; the newest one is kept for whoever wants to know why. */
export async function setAside(context: GitContext, repo: RepoRef, why: Error): Promise<void> {
  const dir = mirrorDir(context.workDir, repo);
  const aside = `${dir}.damaged`;
  context.log.error({ repo: nameOf(repo), reason: why.message, aside }, "a mirror was damaged");
  await removeAll(aside);
  // Absent when another job saw the same damage first.
  await unlessAbsent(rename(dir, aside));
}

/** Removes what a killed process left and joins packs. Call under the mirror's lock. */
export async function tidy(dir: string): Promise<void> {
  const entries = await dropLeftovers(dir);
  const packs = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".pack"));
  if (packs.length <= MAX_PACKS) return;
  // Drops nothing: objects no ref points at may belong to a job that runs.
  await git(dir, ["repack", "-d", "-q", "--geometric=2"], { silenceMs: HOUR_MS });
  await git(dir, ["pack-refs", "--all"]);
}

/** Removes what is too old to be anybody's who lives, beside jobs that run; what it found. */
export async function dropLeftovers(dir: string): Promise<Dirent[]> {
  const entries = await everythingIn(dir);
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    const ageMs = leftoverAge(path.relative(dir, file));
    if (ageMs === null) continue;
    const found = await unlessAbsent(stat(file));
    // One from the future is from before the clock was set back.
    if (found !== null && Math.abs(Date.now() - found.mtimeMs) > ageMs) {
      await rm(file, { recursive: true, force: true });
    }
  }
  return entries;
}

/** All below a directory, without what jobs beside it take away meanwhile. */
async function everythingIn(dir: string): Promise<Dirent[]> {
  const entries = (await unlessAbsent(readdir(dir, { withFileTypes: true }))) ?? [];
  const inner = entries.filter((entry) => entry.isDirectory());
  const below = await Promise.all(inner.map(({ name }) => everythingIn(path.join(dir, name))));
  return [...entries, ...below.flat()];
}

/** Age in ms from which a file was left by a dead process; null for files that are meant to stay. */
function leftoverAge(file: string): number | null {
  // No ref and no object can have such a name.
  if (file.endsWith(".lock")) return LOCK_AGE_MS;
  return /^(objects\/(.*\/)?tmp_|incoming-|config\.[\da-f-]+\.new$)[^/]*$/.test(file)
    ? HOUR_MS
    : null;
}

/** "owner/name", for people. */
export function nameOf(repo: RepoRef): string {
  return `${repo.owner}/${repo.name}`;
}

/** Makes a mirror obey nothing but our own configuration, whoever wrote into it. */
async function keepConfig(context: GitContext, dir: string): Promise<void> {
  const found = await Promise.all(FOREIGN.map((name) => unlessAbsent(lstat(path.join(dir, name)))));
  for (const name of FOREIGN.filter((_, at) => found[at] !== null)) {
    const file = path.join(dir, name);
    context.log.warn({ file }, "a mirror held what none of ours has; it was removed");
    await removeAll(file);
  }
  const file = path.join(dir, "config");
  if ((await unlessAbsent(readFile(file, "utf8"))) === CONFIG) return;
  context.log.warn({ file }, "the configuration of a mirror was not ours; it was restored");
  await writeConfig(dir);
}

async function writeConfig(dir: string): Promise<void> {
  // A name of its own: jobs that use one mirror may find the same at the same time.
  const fresh = path.join(dir, `config.${randomUUID()}.new`);
  await writeFile(fresh, CONFIG, { mode: 0o644 });
  await rename(fresh, path.join(dir, "config"));
}
