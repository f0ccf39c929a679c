import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import type { Machine } from "../../core/limits.ts";
import { numberAfter, readGroup } from "./cgroup-files.ts";
import { findOwnGroups } from "./cgroup-place.ts";

/** How much of a disk is in use and free; `freeFiles` is null where the file system does not tell. */
export interface DiskState {
  used: number;
  usedFiles: number;
  free: number;
  freeFiles: number | null;
}

/** What this machine has, or what a container was given of it. `dir` lies on the disk of the workspaces. */
export async function describeMachine(dir: string): Promise<Machine> {
  const constrained = process.constrainedMemory();
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const { blocks, bsize } = await statfs(dir);
  const processes = Number(await textOf("/proc/sys/kernel/pid_max")) || 32_768;
  return { memory, cores: availableParallelism(), processes, disk: blocks * bsize };
}

/** The disk that holds `dir`. */
export async function diskState(dir: string): Promise<DiskState> {
  const { blocks, bfree, bavail, bsize, files, ffree } = await statfs(dir);
  return {
    used: (blocks - bfree) * bsize,
    usedFiles: files - ffree,
    free: bavail * bsize,
    freeFiles: files > 0 ? ffree : null,
  };
}

/** Memory that can still be had, in bytes: of the machine, and of the control group the server is in. */
export async function freeMemory(): Promise<number> {
  const available = /^MemAvailable: +(\d+)/m.exec(await textOf("/proc/meminfo"))?.[1];
  const machine = available === undefined ? Number.POSITIVE_INFINITY : Number(available) * 1024;
  return Math.min(machine, await freeOfGroup());
}

/** Open files of the whole machine, and how many there may be; null where that is not told. */
export async function openFiles(): Promise<{ used: number; most: number } | null> {
  const [used, , most] = (await textOf("/proc/sys/fs/file-nr")).split(/\s+/).map(Number);
  return used === undefined || most === undefined ? null : { used, most };
}

async function freeOfGroup(): Promise<number> {
  const { unified, legacy } = findOwnGroups();
  const old = legacy.get("memory");
  const limits = [
    ...(unified === null
      ? []
      : [freeIn(unified, "memory.max", "memory.current", ["inactive_file", "active_file"])]),
    ...(old === undefined
      ? []
      : [
          freeIn(old, "memory.limit_in_bytes", "memory.usage_in_bytes", [
            "total_inactive_file",
            "total_active_file",
          ]),
        ]),
  ];
  return Math.min(Number.POSITIVE_INFINITY, ...(await Promise.all(limits)));
}

/** The limit without what is used; what can be read from a file again does not count as used. */
async function freeIn(dir: string, max: string, current: string, cache: string[]): Promise<number> {
  const limit = Number.parseInt(await readGroup(dir, max), 10);
  if (Number.isNaN(limit)) return Number.POSITIVE_INFINITY;
  const stat = await readGroup(dir, "memory.stat");
  const cached = cache.reduce((sum, name) => sum + numberAfter(stat, name), 0);
  return limit - Number(await readGroup(dir, current)) + cached;
}

async function textOf(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "EACCES") return "";
    throw error;
  });
}
