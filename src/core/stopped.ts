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

/** Who ended a job, and by what where it was not `/codex stop`. */
export interface StopBy {
  id: number;
  login: string;
  how?: "deleted" | "closed";
}

/** Why a job that somebody ended is cancelled, in words for its board. */
export function stopReason(by: Pick<StopBy, "login" | "how">): string {
  return by.how === undefined ? `stopped by ${by.login}` : `stopped: ${stopAsked(by)}`;
}

/** How somebody asked for the end of a job, as a clause. */
export function stopAsked({ login, how }: Pick<StopBy, "login" | "how">): string {
  switch (how) {
    case "deleted":
      return `${login} deleted the command`;
    case "closed":
      return `${login} closed the pull request`;
    default:
      return `asked by ${login}`;
  }
}
