import { stat } from "node:fs/promises";
import { toError } from "../../core/errors.ts";
import { type Broken, broken, type Limits } from "../../core/limits.ts";
import type { Log } from "../../core/ports.ts";
import {
  type Account,
  createAccounts,
  mayBeOver,
  overDisk,
  refusalOf,
  strike,
} from "./accounts.ts";
import type { Counted, JobGroup } from "./cgroups.ts";
import { type DiskState, diskState } from "./machine.ts";
import { measureDisk, openClosed } from "./measure-disk.ts";
import { createObserver } from "./observer.ts";
import { relieve, roomWords } from "./pressure.ts";
import { type HiddenUse, MAX_FILES } from "./processes.ts";

/** A command that runs. */
interface Watched {
  jobId: string;
  tree: string;
  /** The process all others of it descend from. */
  pid: number;
  /** Directories it can write. */
  dirs: string[];
  /** The control group it is in; null where there is none. */
  group: JobGroup | null;
  stop(why: Broken): void;
}

/** Sees to it that jobs keep their bounds where the kernel does not, and that the machine stays usable. */
interface Watchdog {
  /** Watches a command; call `end` when its last process has ended: the bound it broke unnoticed. */
  watch(command: Watched): Promise<{ end(): Promise<Broken | null> }>;
  /** Why a job may run nothing more, null when it may; and the CPU time it has left, in ms. */
  standing(job: {
    jobId: string;
    tree: string;
  }): Promise<{ refused: string | null; cpuMs: number }>;
  /** Why no job should begin now; null when one can. */
  room(): Promise<string | null>;
  close(): void;
}

/** What the watchdog knows of a command that runs. */
export interface Case extends Watched {
  account: Account;
  /** The disk when it began, and what the job had of it then. */
  begun: DiskState;
  bytesBefore: number;
  counted: Counted | null;
  /** CPU time by the processes that were seen. */
  seenCpuMs: number;
  broken: Broken | null;
  measuring: Promise<void> | null;
}

const TICK_MS = 500;
/** Where the kernel counts for us, the table of processes is read this much less often. */
const SELDOM = 4;
/** A count of the disk may take this part of the time, and there is one at least this often. */
const MEASURE_PART = 10;
const MEASURE_MS = 5000;
/** A count that takes no longer is made after each command: others may have freed what it filled. */
const CHEAP_MS = 20;
/** Looks that may fail in a row before nothing runs unwatched any more. */
const MAX_FAILURES = 3;

/** The watchdog of one server. `dir` lies on the disk of the workspaces. */
export function createWatchdog({
  limits,
  dir,
  log,
}: {
  limits: Limits;
  dir: string;
  log: Log;
}): Watchdog {
  const accountOf = createAccounts(limits);
  const observer = createObserver();
  /** Of the disk: what is deleted and open there takes disk, elsewhere memory. */
  const device = stat(dir).then(({ dev }) => dev);
  const cases = new Set<Case>();
  let ticks = 0;
  let failures = 0;
  let ticking = false;
  let closed = false;

  function end(command: Case, why: Broken): void {
    if (command.broken !== null) return;
    command.broken = why;
    log.warn({ jobId: command.jobId, reason: why.words }, "a command was stopped");
    command.stop(why);
  }

  async function checkGroup(command: Case): Promise<void> {
    if (command.group === null) return;
    const before = command.counted;
    const counted = await command.group.read();
    command.counted ??= counted;
    if (counted.oomKills > (before?.oomKills ?? 0)) {
      end(command, counted.ownLimit ? broken.memory(limits) : broken.hostMemory);
    }
    checkCpu(command, (counted.cpuMs ?? 0) - (before?.cpuMs ?? 0));
  }

  function checkCpu(command: Case, usedMs: number): void {
    command.seenCpuMs = Math.max(command.seenCpuMs, usedMs);
    if (command.account.cpuMs + command.seenCpuMs > limits.cpuMs) end(command, broken.cpu(limits));
  }

  /** Reads the table of processes: for commands without a control group each time. */
  async function checkProcesses(): Promise<void> {
    const looked = [...cases].filter((each) => each.group === null || ticks % SELDOM === 0);
    if (looked.length === 0) return;
    const trees = await observer.trees(looked.map(({ pid }) => pid));
    for (const [at, command] of looked.entries()) {
      const tree = trees[at];
      if (!tree || !cases.has(command)) continue;
      checkCpu(command, tree.cpuMs);
      // Files in memory; the kernel counts them for a control group.
      const due = command.group === null && ticks % SELDOM === 0;
      const hidden = due ? (await hiddenOf(command)).memory : 0;
      if (tree.memory + hidden <= limits.memory) continue;
      // Pages that processes share were counted for each of them.
      const own = await observer.ownMemory(command.pid);
      if (own + hidden > limits.memory) end(command, broken.memory(limits));
    }
  }

  /** Files that no directory shows. Who has so many open that they cannot be looked at is stopped. */
  async function hiddenOf(command: Case): Promise<HiddenUse> {
    const hidden = await observer.hidden(command.pid, await device);
    if (hidden.files > MAX_FILES) end(command, broken.openFiles(MAX_FILES));
    return hidden;
  }

  function checkDisk(now: DiskState): void {
    for (const command of cases) {
      if (command.measuring !== null) continue;
      const { disk } = command.account;
      const sinceMs = disk === null ? Number.POSITIVE_INFINITY : performance.now() - disk.endedAt;
      const tookMs = disk?.tookMs ?? 0;
      const due = sinceMs > Math.max(MEASURE_MS, tookMs * MEASURE_PART);
      const suspect = sinceMs > tookMs * 2 && mayBeOver(command.account, command.begun, now);
      if (due || suspect) void measure(command).catch(failed);
    }
  }

  /** Counts what a job has on the disk; a count that is under way already is waited for. */
  function measure(command: Case, enough = command.account.ceiling): Promise<void> {
    command.measuring ??= count(command, enough).finally(() => {
      command.measuring = null;
    });
    return command.measuring;
  }

  async function count(command: Case, enough: { bytes: number; files: number }): Promise<void> {
    const { account, dirs } = command;
    const began = performance.now();
    const begun = await diskState(dir);
    const use = await measureDisk(dirs, enough);
    if (cases.has(command)) {
      use.bytes += (await hiddenOf(command)).disk;
    }
    const endedAt = performance.now();
    account.disk = { use, begun, endedAt, tookMs: endedAt - began };
    const over = overDisk(account, limits);
    if (over !== null && cases.has(command)) end(command, over);
  }

  function failed(thrown: unknown): void {
    failures += 1;
    log.error({ err: toError(thrown) }, "the watchdog could not look");
    if (failures < MAX_FAILURES) return;
    for (const command of cases) end(command, broken.unwatched);
  }

  async function tick(): Promise<void> {
    ticks += 1;
    await Promise.all([...cases].map(checkGroup));
    await checkProcesses();
    const now = await diskState(dir);
    checkDisk(now);
    await relieve({ cases: [...cases], now, limits, observer, device: await device, measure, end });
    failures = 0;
  }

  function keepTicking(): void {
    if (ticking || closed) return;
    ticking = true;
    setTimeout(async () => {
      await tick().catch(failed);
      ticking = false;
      if (cases.size > 0) keepTicking();
    }, TICK_MS).unref();
  }

  /** The disk after the last process has ended: only now does what is counted stay as it is. */
  async function settleDisk(command: Case): Promise<void> {
    const { account } = command;
    await command.measuring;
    const told = command.broken?.stopped === "disk";
    const cheap = (account.disk?.tookMs ?? 0) <= CHEAP_MS;
    if (!told && !cheap && !mayBeOver(account, command.begun, await diskState(dir))) return;
    const enough = { bytes: Number.POSITIVE_INFINITY, files: account.ceiling.files * 2 };
    await measure(command, enough);
    if (account.disk?.use.closed) {
      await openClosed(command.dirs);
      await measure(command, enough);
    }
    const over = overDisk(account, limits);
    if (over !== null) command.broken ??= over;
    const why = over ?? (told ? command.broken : null);
    if (why !== null) strike(account, limits, why);
    else account.ceiling = { bytes: limits.disk, files: limits.files };
  }

  return {
    async watch(watched) {
      const account = await accountOf(watched);
      const command: Case = {
        ...watched,
        account,
        begun: await diskState(dir),
        bytesBefore: account.disk?.use.bytes ?? 0,
        counted: (await watched.group?.read()) ?? null,
        seenCpuMs: 0,
        broken: null,
        measuring: null,
      };
      cases.add(command);
      keepTicking();
      return {
        async end() {
          await checkGroup(command);
          cases.delete(command);
          await settleDisk(command);
          account.cpuMs += command.seenCpuMs;
          return command.broken;
        },
      };
    },
    async standing(job) {
      const account = await accountOf(job);
      return { refused: refusalOf(account, limits), cpuMs: limits.cpuMs - account.cpuMs };
    },
    room: () => roomWords(dir, limits),
    close() {
      closed = true;
      observer.close();
    },
  };
}
