import type { Job } from "../core/job.ts";

const RETRY_MS = 2_000;
/** No single wait is longer. */
const LONGEST_WAIT_MS = 60 * 60_000;
/** What has waited for long is not tried again sooner than after so long. */
const SELDOM_MS = 60_000;

/**
 * How long a job that failed in passing waits before it is tried again, in ms; `askedMs` is what GitHub or the
 * model's server asked for. A short wait that is asked for again and again grows: it counts as no attempt.
 */
export function waitBefore({ attempts, spend }: Pick<Job, "attempts" | "spend">, askedMs: number) {
  const own = RETRY_MS * 2 ** Math.min(attempts - 1, 7) * (0.75 + Math.random() / 2);
  const seldom = Math.min(SELDOM_MS, (spend.waitedMs ?? 0) / 8);
  return Math.min(LONGEST_WAIT_MS, Math.max(askedMs, own, seldom));
}
