import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** What one process has and has used; times in ms, sizes in bytes. */
interface Process {
  parent: number;
  memory: number;
  /** Its own and that of children it waited for. */
  cpuMs: number;
}

/** What a process and all that descend from it have. */
export interface TreeUse {
  processes: number;
  memory: number;
  cpuMs: number;
}

/** What is held by open files that no directory shows any more. */
export interface HiddenUse {
  /** Bytes of deleted files on the disk. */
  disk: number;
  /** Bytes of files that exist in memory only. */
  memory: number;
  /** Descriptors, as far as they were looked at. */
  files: number;
}

/** Ticks of a second in /proc, on every Linux that Node runs on. */
const TICKS = 100;
/** Descriptors that one look goes through; a job can open millions, so who has more cannot be looked at. */
export const MAX_FILES = 50_000;

/** Adds up the trees below `roots` from one look at the table of processes. */
export function measureTrees(roots: number[]): TreeUse[] {
  const table = readTable();
  const children = childrenOf(table);
  return roots.map((root) => {
    const sum: TreeUse = { processes: 0, memory: 0, cpuMs: 0 };
    for (const pid of below(root, children)) {
      const found = table.get(pid);
      if (!found) continue;
      sum.processes += 1;
      sum.memory += found.memory;
      sum.cpuMs += found.cpuMs;
    }
    return sum;
  });
}

/**
 * Memory that is a tree's own: pages that several of its processes share count once, and not at all what
 * can be read from a file again. Slower than `measureTrees`, which counts them for each.
 */
export function measureOwnMemory(root: number): number {
  if (process.platform !== "linux") return measureTrees([root])[0]?.memory ?? 0;
  let bytes = 0;
  for (const pid of treeOf(root)) {
    const text = textOf(`/proc/${pid}/smaps_rollup`);
    for (const name of ["Pss_Anon", "Pss_Shmem", "SwapPss"]) {
      bytes += 1024 * Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(text)?.[1] ?? 0);
    }
  }
  return bytes;
}

/** Looks for files of a tree that are open and deleted; `device` is the disk's. */
export function measureHidden(root: number, device: number): HiddenUse {
  const found: HiddenUse = { disk: 0, memory: 0, files: 0 };
  if (process.platform !== "linux") return found;
  const seen = new Set<string>();
  for (const pid of treeOf(root)) {
    for (const fd of namesIn(`/proc/${pid}/fd`)) {
      found.files += 1;
      if (found.files > MAX_FILES) return found;
      const at = `/proc/${pid}/fd/${fd}`;
      if (!linkOf(at).endsWith(" (deleted)")) continue;
      const stat = tried(() => statSync(at, { throwIfNoEntry: false }));
      const key = `${stat?.dev}:${stat?.ino}`;
      if (!stat?.isFile() || seen.has(key)) continue;
      seen.add(key);
      if (stat.dev === device) found.disk += stat.blocks * 512;
      else found.memory += stat.blocks * 512;
    }
  }
  return found;
}

/**
 * Bytes that a tree has written to disks, whatever became of them: those of processes that ended count
 * with whoever waited for them. 0 where the kernel does not tell.
 */
export function measureWritten(root: number): number {
  if (process.platform !== "linux") return 0;
  let bytes = 0;
  for (const pid of treeOf(root)) {
    const text = textOf(`/proc/${pid}/io`);
    const of = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, "m").exec(text)?.[1] ?? 0);
    bytes += of("write_bytes") - of("cancelled_write_bytes");
  }
  return Math.max(0, bytes);
}

function* below(root: number, children: Map<number, number[]>): Generator<number> {
  const stack = [root];
  for (let pid = stack.pop(); pid !== undefined; pid = stack.pop()) {
    yield pid;
    stack.push(...(children.get(pid) ?? []));
  }
}

function treeOf(root: number): Generator<number> {
  return below(root, childrenOf(readTable()));
}

function childrenOf(table: Map<number, Process>): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of table) {
    const siblings = children.get(parent);
    if (siblings) siblings.push(pid);
    else children.set(parent, [pid]);
  }
  return children;
}

function readTable(): Map<number, Process> {
  return process.platform === "linux" ? readProc() : readPs();
}

let pageBytes = 0;

function readProc(): Map<number, Process> {
  const table = new Map<number, Process>();
  pageBytes ||=
    1024 * Number(/^KernelPageSize: +(\d+)/m.exec(textOf("/proc/self/smaps"))?.[1] ?? 4);
  for (const name of namesIn("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = textOf(`/proc/${name}/stat`);
    // A name may hold anything, brackets too: what follows the last one is numbers.
    const field = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (field.length < 22) continue;
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(field[at]), 0);
    table.set(Number(name), {
      parent: Number(field[1]),
      memory: Number(field[21]) * pageBytes,
      cpuMs: (ticks * 1000) / TICKS,
    });
  }
  return table;
}

/** For systems without /proc. Times look like `1-02:03:04` or `02:03.45`. */
function readPs(): Map<number, Process> {
  const table = new Map<number, Process>();
  const text = execFileSync("ps", ["-A", "-o", "pid=,ppid=,rss=,time="], {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const line of text.split("\n")) {
    const [pid, parent, kilobytes, time = ""] = line.trim().split(/\s+/);
    const [days, clock] = time.includes("-") ? time.split("-") : ["0", time];
    const seconds = (clock ?? "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    table.set(Number(pid), {
      parent: Number(parent),
      memory: Number(kilobytes) * 1024,
      cpuMs: (Number(days) * 86_400 + seconds) * 1000,
    });
  }
  return table;
}

function namesIn(dir: string): string[] {
  return tried(() => readdirSync(dir)) ?? [];
}

function textOf(file: string): string {
  return tried(() => readFileSync(file, "latin1")) ?? "";
}

function linkOf(file: string): string {
  return tried(() => readlinkSync(file)) ?? "";
}

/** Undefined when the process ended while we looked, or is none of ours to look at. */
function tried<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(String(code))) return undefined;
    throw error;
  }
}
