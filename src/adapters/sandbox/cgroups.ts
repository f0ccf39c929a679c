import type { Limits } from "../../core/limits.ts";
import { findOwnGroups } from "./cgroup-place.ts";
import { openLegacy } from "./cgroup-v1.ts";
import { openUnified } from "./cgroup-v2.ts";

/** What the kernel counted for one job since its group was made; null where it does not count. */
export interface Counted {
  memory: number | null;
  /** Processes it killed because the memory of the group was used up. */
  oomKills: number;
  /** Whether it was the group's own limit that was reached, and not that of all jobs together. */
  ownLimit: boolean;
  cpuMs: number | null;
}

/** The control group of one job. */
export interface JobGroup {
  /** Puts a process into it, with everything it will start. */
  add(pid: number): Promise<void>;
  read(): Promise<Counted>;
  /** Lets go; the last one takes the group away. */
  release(): Promise<void>;
}

/** Control groups for jobs, below one that bounds all of them together. */
interface Groups {
  version: "v1" | "v2";
  /** What the kernel itself bounds here. */
  bounds: ("memory" | "processes" | "cpu")[];
  join(jobId: string): Promise<JobGroup>;
  /** Takes them all away, as far as nothing runs in them. */
  close(): Promise<void>;
}

/** The groups, or why there are none. */
export type Opened = { groups: Groups; reason: null } | { groups: null; reason: string };

/** Opens control groups for jobs: of v2 where memory is bounded there, else of v1. */
export async function openGroups(limits: Limits, self?: string): Promise<Opened> {
  if (process.platform !== "linux") return { groups: null, reason: "this system has none" };
  const own = findOwnGroups(self);
  const reasons: string[] = [];
  for (const open of [
    () => openUnified(own.unified, limits),
    () => openLegacy(own.legacy, limits),
  ]) {
    const opened = await open();
    if (opened.groups !== null) return opened;
    reasons.push(opened.reason);
  }
  return { groups: null, reason: reasons.join("; ") };
}
