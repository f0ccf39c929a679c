import { NoReply, type TransientError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";

/** Claims without any progress after which a job that always fails in passing is given up. */
export const MAX_ATTEMPTS = 10;
/** All waits of a job together are no longer than this. */
const ALL_WAITS_MS = 24 * 60 * 60_000;
/** Of a longer wait the board says when it ends. */
export const LONG_WAIT_MS = 60_000;
const RETRY_MS = 2_000;
/** No single wait is longer. */
const LONGEST_WAIT_MS = 60 * 60_000;
/** What has waited for long is not tried again sooner than after so long. */
const SELDOM_MS = 60_000;
/** With less of its time left, a job does not ask its model again. */
const LAST_TRY_MS = 10_000;

/** Whether a job that failed in passing is tried again. */
export type NextTry =
  /** `spend` has the wait in it; `burn`: the attempt counts. */
  | { kind: "wait"; ms: number; spend: Job["spend"]; burn: boolean }
  | { kind: "given_up" }
  /** Its time limit comes before the model is to be asked again. */
  | { kind: "too_late" };

/**
 * How long a job that failed in passing waits before it is tried again, in ms. What a reply is waited for is time
 * of the job; a wait that GitHub asks for is not. `now` is in ms since the epoch.
 */
export function nextTry(
  job: Pick<Job, "attempts" | "spend" | "config">,
  error: TransientError,
  now: number,
): NextTry {
  const { attempts, spend } = job;
  // A wait that GitHub or the model's server asked for is no fault of the job.
  const asked = error.retryAt !== undefined;
  // How long, never until when: the clock may be set while the job waits.
  const askedMs = Math.max(0, (error.retryAt ?? now) - now);
  const worked = spend.workedMs ?? 0;
  const leftMs = job.config.limits.minutes * 60_000 - worked - LAST_TRY_MS;
  const ofModel = error instanceof NoReply;
  if (ofModel && leftMs <= askedMs) return { kind: "too_late" };
  const wanted = waitBefore(job, askedMs);
  const ms = Math.round(ofModel ? Math.min(wanted, leftMs) : wanted);
  const waitedMs = (spend.waitedMs ?? 0) + ms;
  const late = !ofModel && leftMs + LAST_TRY_MS <= 0;
  if (waitedMs > ALL_WAITS_MS) return { kind: "given_up" };
  if (!asked && (late || attempts >= MAX_ATTEMPTS)) return { kind: "given_up" };
  const counted = ofModel ? { workedMs: worked + ms } : {};
  return { kind: "wait", ms, burn: !asked, spend: { ...spend, waitedMs, ...counted } };
}

/** A short wait that is asked for again and again grows: it counts as no attempt. */
export function waitBefore({ attempts, spend }: Pick<Job, "attempts" | "spend">, askedMs: number) {
  const own = RETRY_MS * 2 ** Math.min(attempts - 1, 7) * (0.75 + Math.random() / 2);
  const seldom = Math.min(SELDOM_MS, (spend.waitedMs ?? 0) / 8);
  return Math.min(LONGEST_WAIT_MS, Math.max(askedMs, own, seldom));
}
