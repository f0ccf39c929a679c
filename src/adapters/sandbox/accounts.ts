import { stat } from "node:fs/promises";
import { type Broken, broken, type Limits } from "../../core/limits.ts";
import type { DiskState } from "./machine.ts";
import type { DiskUse } from "./measure-disk.ts";

/** What one job has used over all its commands. */
export interface Account {
  /** CPU time of commands that have ended. */
  cpuMs: number;
  /** The last count of its disk, with the state of the whole disk when it began; null before the first. */
  disk: { use: DiskUse; begun: DiskState; endedAt: number; tookMs: number } | null;
  /** What it may use of the disk: more than the limit once it stands above it, so that it can tidy up. */
  ceiling: { bytes: number; files: number };
  /** Times a command was stopped because of the disk. */
  strikes: number;
  /** Why it may run nothing more because of the disk, in words for people; null while it may. */
  refused: string | null;
}

/** Stops for the disk after which a job may run nothing more. */
const MAX_STRIKES = 2;
/** Jobs that are remembered; the oldest have long ended. */
const MAX_ACCOUNTS = 1000;

/** The accounts of jobs; they live as long as the server. */
export function createAccounts(
  limits: Limits,
): (of: { jobId: string; tree: string }) => Promise<Account> {
  const accounts = new Map<string, { account: Account; identity: Identity }>();
  const fresh = (): Account => ({
    cpuMs: 0,
    disk: null,
    ceiling: { bytes: limits.disk, files: limits.files },
    strikes: 0,
    refused: null,
  });
  return async ({ jobId, tree }) => {
    const identity = await identify(tree);
    const known = accounts.get(jobId);
    const account = known?.account ?? fresh();
    // What another workspace of the job held is gone; the time it took is not.
    if (known && !isSame(known.identity, identity)) {
      Object.assign(account, { ...fresh(), cpuMs: account.cpuMs });
    }
    accounts.delete(jobId);
    accounts.set(jobId, { account, identity });
    for (const old of [...accounts.keys()].slice(0, -MAX_ACCOUNTS)) accounts.delete(old);
    return account;
  };
}

/** What tells a directory from one that stood there before. */
interface Identity {
  device: number;
  inode: number;
  /** Null while it may be another time: where a file system keeps none, the last change stands in for it. */
  bornMs: number | null;
}

async function identify(dir: string): Promise<Identity> {
  const { dev, ino, birthtimeMs, ctimeMs } = await stat(dir);
  return { device: dev, inode: ino, bornMs: birthtimeMs === ctimeMs ? null : birthtimeMs };
}

function isSame(one: Identity, other: Identity): boolean {
  const born = [one.bornMs, other.bornMs];
  const sameBirth = born.includes(null) || one.bornMs === other.bornMs;
  return one.device === other.device && one.inode === other.inode && sameBirth;
}

/** Why a job may run nothing more, in words for people; null when it may. */
export function refusalOf(account: Account, limits: Limits): string | null {
  if (account.cpuMs >= limits.cpuMs) return broken.cpu(limits).words;
  return account.refused;
}

/** The bound of the disk that a job has broken, by its last count; null when it has not. */
export function overDisk({ disk, ceiling }: Account, limits: Limits): Broken | null {
  if (disk === null) return null;
  if (disk.use.bytes > ceiling.bytes) return broken.disk(limits);
  return disk.use.files > ceiling.files ? broken.files(limits) : null;
}

/**
 * Whether a job may have gone above its ceiling since the last count: it has if all that was written to
 * the disk since then were its own.
 */
export function mayBeOver(account: Account, first: DiskState, now: DiskState): boolean {
  const { use, begun } = account.disk ?? { use: { bytes: 0, files: 0 }, begun: first };
  const { ceiling } = account;
  return (
    use.bytes + Math.max(0, now.used - begun.used) > ceiling.bytes ||
    use.files + Math.max(0, now.usedFiles - begun.usedFiles) > ceiling.files
  );
}

/** Counts a stop because of the disk, and lets the job keep what it has, but no more, to tidy up. */
export function strike(account: Account, limits: Limits, why: Broken): void {
  const use = account.disk?.use;
  account.strikes += 1;
  // What is too much to be counted is too much to be tidied up.
  if (use?.whole === false) account.refused = why.words;
  else if (account.strikes >= MAX_STRIKES) account.refused = `${why.words}, twice`;
  account.ceiling = {
    bytes: Math.max(limits.disk, use?.bytes ?? 0),
    files: Math.max(limits.files, use?.files ?? 0),
  };
}
