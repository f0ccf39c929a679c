import { mkdir } from "node:fs/promises";
import path from "node:path";
import { toError } from "../../core/errors.ts";
import type { Limits } from "../../core/limits.ts";
import {
  freshName,
  isForbidden,
  numberAfter,
  readGroup,
  removeGroup,
  setGroup,
  subgroups,
  sweepGroups,
} from "./cgroup-files.ts";
import type { JobGroup, Opened } from "./cgroups.ts";
import { createShared } from "./shared.ts";

/** Controllers of the older hierarchies that bound or count something of a job. */
const CONTROLLERS = ["memory", "pids", "cpu", "cpuacct"] as const;

/** The share of all jobs together, where a process of the server counts 1024. */
const SHARES = 512;
/** The sandbox's own processes around a job's. */
const OWN_PROCESSES = 16;

/** Control groups of v1, below the server's own ones. */
export async function openLegacy(own: Map<string, string>, limits: Limits): Promise<Opened> {
  const dirs = new Map<string, string>();
  const name = freshName();
  let reason = "control groups (v1) are not mounted";
  for (const controller of CONTROLLERS) {
    const base = own.get(controller);
    if (base === undefined) continue;
    const dir = path.join(base, name);
    try {
      await sweepGroups(base);
      await mkdir(dir, { recursive: true });
      dirs.set(controller, dir);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      reason = `control groups (v1) cannot be made (${toError(error).message})`;
    }
  }
  const [memory, pids, cpu] = [dirs.get("memory"), dirs.get("pids"), dirs.get("cpu")];
  const roots = [...new Set(dirs.values())];
  if (memory === undefined) {
    for (const dir of roots) await removeGroup(dir);
    return { groups: null, reason };
  }
  await setGroup(memory, "memory.use_hierarchy", 1).catch(() => false);
  await boundMemory(memory, limits.allMemory);
  const processes = limits.processes + OWN_PROCESSES;
  if (pids) await setGroup(pids, "pids.max", processes * limits.jobs);
  if (cpu) await setGroup(cpu, "cpu.shares", SHARES);

  const join = createShared(async (jobId: string): Promise<JobGroup> => {
    const inner = new Map([...dirs].map(([name, dir]) => [name, path.join(dir, jobId)]));
    const all = [...new Set(inner.values())];
    const at = (name: string) => inner.get(name) ?? null;
    for (const dir of all) await mkdir(dir, { recursive: true });
    await boundMemory(path.join(memory, jobId), limits.memory);
    const ownPids = at("pids");
    if (ownPids !== null) await setGroup(ownPids, "pids.max", processes);
    return {
      async add(pid) {
        for (const dir of all) await setGroup(dir, "cgroup.procs", pid);
      },
      async read() {
        const held = path.join(memory, jobId);
        const counter = at("cpuacct");
        const nanoseconds = counter === null ? "" : await readGroup(counter, "cpuacct.usage");
        return {
          memory: Number(await readGroup(held, "memory.usage_in_bytes")),
          oomKills: numberAfter(await readGroup(held, "memory.oom_control"), "oom_kill"),
          ownLimit: await reached(held, limits.memory),
          cpuMs: counter === null ? null : Number(nanoseconds) / 1e6,
        };
      },
      async release() {
        for (const dir of all) await removeGroup(dir);
      },
    };
  });
  return {
    reason: null,
    groups: {
      version: "v1",
      bounds: [
        "memory",
        ...(pids ? (["processes"] as const) : []),
        ...(cpu ? (["cpu"] as const) : []),
      ],
      join,
      async close() {
        for (const dir of roots) {
          for (const left of await subgroups(dir)) await removeGroup(left);
          await removeGroup(dir);
        }
      },
    },
  };
}

/** Memory with swap; where swap is not counted, the kernel is asked to use none. */
async function boundMemory(dir: string, bytes: number): Promise<void> {
  await setGroup(dir, "memory.limit_in_bytes", bytes);
  const counted = await setGroup(dir, "memory.memsw.limit_in_bytes", bytes);
  if (!counted) await setGroup(dir, "memory.swappiness", 0);
  // What waits in TCP sockets is not part of the memory above.
  await setGroup(dir, "memory.kmem.tcp.limit_in_bytes", Math.floor(bytes / 8)).catch(() => false);
}

/** The kernel charges in batches, so a group that is full stands a little below its limit. */
async function reached(dir: string, bytes: number): Promise<boolean> {
  const most = await readGroup(dir, "memory.max_usage_in_bytes");
  return Number(most) > bytes * 0.98;
}
