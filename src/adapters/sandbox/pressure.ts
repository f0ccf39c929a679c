import { type Broken, broken, type Limits, megabytes } from "../../core/limits.ts";
import { type DiskState, diskState, freeMemory, openFiles } from "./machine.ts";
import type { Observer } from "./observer.ts";
import type { Case } from "./watchdog.ts";

/** A new job needs this much more than what must stay free. */
const HEADROOM = 1.25;
/** Inodes that stay free, in all. */
const FREE_FILES = 10_000;
/** The part of the machine's open files that may be in use. */
const OPEN_PART = 0.8;
/** To stop a command helps when it holds this much, or as many files and processes. */
const WORTH_BYTES = 32 * 1024 * 1024;
const WORTH_FILES = 2000;

/** What `relieve` acts on. */
interface Strained {
  cases: Case[];
  now: DiskState;
  limits: Limits;
  observer: Observer;
  /** Of the disk. */
  device: number;
  measure(command: Case): Promise<void>;
  end(command: Case, why: Broken): void;
}

/**
 * Stops the command that weighs most on a machine that runs short of memory, disk or open files: one at
 * a look, as its end may be relief enough.
 */
export async function relieve(strained: Strained): Promise<void> {
  const { limits, now } = strained;
  if ((await freeMemory()) < limits.freeMemory) await stopLargest(strained);
  const open = await openFiles();
  if (open !== null && open.used > open.most * OPEN_PART)
    await stopMostOpen(strained, broken.hostFiles);
  const scarce = now.freeFiles !== null && now.freeFiles < FREE_FILES;
  if (now.free < limits.freeDisk || scarce) await stopGrower(strained);
}

/** Why no job should begin now, in words for the operator; null when one can. */
export async function roomWords(dir: string, limits: Limits): Promise<string | null> {
  const { free, freeFiles } = await diskState(dir);
  const wanted = limits.freeDisk * HEADROOM;
  if (free < wanted) {
    return `${megabytes(free)} of the disk are free; a job begins when there are ${megabytes(wanted)}`;
  }
  if (freeFiles !== null && freeFiles < FREE_FILES * HEADROOM) {
    return `the disk has room for ${freeFiles.toLocaleString("en")} more files only`;
  }
  const memory = await freeMemory();
  if (memory >= limits.freeMemory * HEADROOM) return null;
  return `${megabytes(memory)} of memory are free; a job begins when there are ${megabytes(limits.freeMemory * HEADROOM)}`;
}

async function stopLargest(strained: Strained): Promise<void> {
  const { observer, device } = strained;
  const largest = await mostOf(strained.cases, async ({ pid, group }) => {
    const counted = (await group?.read())?.memory;
    return counted ?? (await observer.ownMemory(pid)) + (await observer.hidden(pid, device)).memory;
  });
  if (largest !== null && largest.amount > WORTH_BYTES) {
    strained.end(largest.command, broken.hostMemory);
  } else await stopMostOpen(strained, broken.hostMemory);
}

/** What the kernel holds for open files, pipes and sockets shows in no process. */
async function stopMostOpen(strained: Strained, why: Broken): Promise<void> {
  const { observer, device } = strained;
  const most = await mostOf(
    strained.cases,
    async ({ pid }) => (await observer.hidden(pid, device)).files,
  );
  if (most !== null && most.amount > WORTH_FILES) strained.end(most.command, why);
}

async function stopGrower(strained: Strained): Promise<void> {
  const { cases, now, limits, observer } = strained;
  await Promise.all(cases.map((each) => strained.measure(each)));
  const grown = ({ account, bytesBefore }: Case) => (account.disk?.use.bytes ?? 0) - bytesBefore;
  const found = cases.reduce((sum, each) => sum + grown(each), 0);
  // There are ways to hold a file that no look finds: who wrote it is known all the same.
  const lost = now.used - Math.min(now.used, ...cases.map(({ begun }) => begun.used)) - found;
  const most = await mostOf(cases, async (each) => {
    const own = grown(each);
    const unseen = lost > WORTH_BYTES ? (await observer.written(each.pid)) - own : 0;
    return own + Math.max(0, Math.min(unseen, lost));
  });
  if (most !== null && most.amount > WORTH_BYTES) strained.end(most.command, broken.hostDisk);
  // Whoever it is: what is left must do for the server itself.
  else if (now.free < limits.freeDisk / 2)
    for (const each of cases) strained.end(each, broken.hostDisk);
}

async function mostOf(
  cases: Case[],
  weigh: (command: Case) => Promise<number>,
): Promise<{ command: Case; amount: number } | null> {
  let most: { command: Case; amount: number } | null = null;
  for (const command of cases.filter((each) => each.broken === null)) {
    const amount = await weigh(command);
    if (most === null || amount > most.amount) most = { command, amount };
  }
  return most;
}
