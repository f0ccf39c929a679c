import type { Stopped } from "./job.ts";

/** How a command was ended from outside, in words: "stopped at the memory limit". */
export function howStopped(stopped: NonNullable<Stopped>): string {
  switch (stopped) {
    case "timeout":
      return "stopped at the time limit";
    case "output":
      return "stopped at the output limit";
    case "memory":
      return "stopped at the memory limit";
    case "disk":
      return "stopped at the disk limit";
    case "cpu":
      return "stopped at the limit of CPU time";
    case "cancelled":
      return "cancelled";
  }
}
