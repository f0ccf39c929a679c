import type { Command, Stopped } from "./job.ts";

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

/** Codes by which a shell tells that a signal ended a command, and what most often is behind it. */
const SIGNALS: Record<number, string> = {
  134: "aborted, as Node is when its heap is full",
  137: "killed, as by the system when memory runs out",
  139: "crashed: it used memory that is not its own",
};

/** With which code a command ended by itself: "137 (killed, as …)". */
export function exitWords(exitCode: number | null): string {
  if (exitCode === null) return "killed by a signal";
  const signal = SIGNALS[exitCode];
  return signal === undefined ? `${exitCode}` : `${exitCode} (${signal})`;
}

/** Who ended a job, and by what where it was not `/codex stop`. */
export interface StopBy {
  id: number;
  login: string;
  how?: "deleted" | "closed";
}

/** `/codex stop` of all that was asked for on an issue: by whom, when by GitHub's clock, and in which comment, if in one. */
export interface SaidStop {
  by: StopBy;
  at: number;
  commentId: number | null;
}

/** Whether a command was asked for before it was to stop, whichever webhook came first. */
export function isBefore(
  { askedAt, way }: Pick<Command, "askedAt" | "way">,
  stop: Pick<SaidStop, "at" | "commentId">,
): boolean {
  const at = Date.parse(askedAt);
  if (at !== stop.at || way.kind !== "comment" || stop.commentId === null) return at <= stop.at;
  // GitHub tells whole seconds, and numbers comments upwards.
  return way.id < stop.commentId;
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
