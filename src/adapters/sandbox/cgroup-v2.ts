import { mkdir } from "node:fs/promises";
import path from "node:path";
import { toError } from "../../core/errors.ts";
import type { Limits } from "../../core/limits.ts";
import {
  freshName,
  isForbidden,
  numberAfter,
  PREFIX,
  readGroup,
  removeGroup,
  setGroup,
  subgroups,
  sweepGroups,
} from "./cgroup-files.ts";
import type { JobGroup, Opened } from "./cgroups.ts";
import { createShared } from "./shared.ts";

const WANTED = ["memory", "pids", "cpu"] as const;
/** The weight of all jobs together, where the server has 100. */
const WEIGHT = 50;
/** The sandbox's own processes around a job's. */
const OWN_PROCESSES = 16;
/** Where the server's own processes go: a group that hands controllers on may hold none itself. */
const SERVER = `${PREFIX}server`;

/**
 * Control groups of v2, below the server's own one: that works where the group was handed to us, as in a
 * service with `Delegate=yes` or a container whose groups are writable.
 */
export async function openUnified(own: string | null, limits: Limits): Promise<Opened> {
  if (own === null) return { groups: null, reason: "control groups (v2) are not mounted" };
  // The server of a restart may stand where an earlier one put itself.
  const base = path.basename(own) === SERVER ? path.dirname(own) : own;
  const offered = words(await readGroup(base, "cgroup.controllers"));
  if (!offered.includes("memory")) {
    return { groups: null, reason: "control groups (v2) do not bound memory here" };
  }
  if (/^session-.*\.scope$/.test(path.basename(base))) {
    return { groups: null, reason: "the login session's control group is not ours to divide" };
  }
  const dir = path.join(base, freshName());
  try {
    await handOn(base, offered);
    await sweepGroups(base);
    await mkdir(dir, { recursive: true });
    await handOn(dir, offered);
    if (!(await setGroup(dir, "memory.max", limits.allMemory))) {
      await removeGroup(dir, 1);
      return { groups: null, reason: "control groups (v2) below the server's own bound no memory" };
    }
  } catch (error) {
    if (!isForbidden(error)) throw error;
    await removeGroup(dir, 1);
    return {
      groups: null,
      reason: `control groups (v2) cannot be made (${toError(error).message})`,
    };
  }
  const processes = limits.processes + OWN_PROCESSES;
  await setGroup(dir, "memory.swap.max", 0);
  await setGroup(dir, "pids.max", processes * limits.jobs);
  await setGroup(dir, "cpu.weight", WEIGHT);

  const join = createShared(async (jobId: string): Promise<JobGroup> => {
    const inner = path.join(dir, jobId);
    await mkdir(inner, { recursive: true });
    await setGroup(inner, "memory.max", limits.memory);
    await setGroup(inner, "memory.swap.max", 0);
    // Half a command is of no use: what runs out of memory goes as a whole.
    await setGroup(inner, "memory.oom.group", 1);
    await setGroup(inner, "pids.max", processes);
    return {
      async add(pid) {
        await setGroup(inner, "cgroup.procs", pid);
      },
      async read() {
        const events = await readGroup(inner, "memory.events");
        return {
          memory: Number(await readGroup(inner, "memory.current")),
          oomKills: numberAfter(events, "oom_kill"),
          ownLimit: numberAfter(events, "max") > 0,
          cpuMs: numberAfter(await readGroup(inner, "cpu.stat"), "usage_usec") / 1000,
        };
      },
      async release() {
        await removeGroup(inner);
      },
    };
  });
  return {
    reason: null,
    groups: {
      version: "v2",
      bounds: [
        "memory",
        ...(offered.includes("pids") ? (["processes"] as const) : []),
        ...(offered.includes("cpu") ? (["cpu"] as const) : []),
      ],
      join,
      async close() {
        for (const left of await subgroups(dir)) await removeGroup(left);
        await removeGroup(dir);
      },
    },
  };
}

/** Lets the groups inside `dir` have the controllers; moves the server's own processes out of the way. */
async function handOn(dir: string, offered: string[]): Promise<void> {
  const wanted = WANTED.filter((name) => offered.includes(name));
  const given = words(await readGroup(dir, "cgroup.subtree_control"));
  if (wanted.every((name) => given.includes(name))) return;
  const line = wanted.map((name) => `+${name}`).join(" ");
  try {
    await setGroup(dir, "cgroup.subtree_control", line);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EBUSY")) throw error;
    await moveOurs(dir);
    await setGroup(dir, "cgroup.subtree_control", line);
  }
}

/** Moves the server, what started it and what it started into a group of their own; others are left. */
async function moveOurs(dir: string): Promise<void> {
  const parents = new Map<number, number>();
  const pids = words(await readGroup(dir, "cgroup.procs")).map(Number);
  const chain = async (pid: number): Promise<number[]> => {
    const line: number[] = [];
    for (let at = pid; at > 0 && line.length < 1000; at = parents.get(at) ?? 0) {
      line.push(at);
      if (!parents.has(at)) parents.set(at, await parentOf(at));
    }
    return line;
  };
  const above = await chain(process.pid);
  const server = path.join(dir, SERVER);
  await mkdir(server, { recursive: true });
  for (const pid of pids) {
    const ours = above.includes(pid) || (await chain(pid)).includes(process.pid);
    if (ours) await setGroup(server, "cgroup.procs", pid);
  }
}

async function parentOf(pid: number): Promise<number> {
  const stat = await readGroup(`/proc/${pid}`, "stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
