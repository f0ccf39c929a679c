import { type Act, ASKED_ACTS, TEXT_ACTS } from "../core/act.ts";

/**
 * Tries before an act of a job is given up; with the waits below about half an hour. Texts are never
 * given up for a failure that may pass: the last one tells how everything ended.
 */
const MAX_ATTEMPTS = 15;
/** Tries of what nobody waits for, refused each time; a quarter of a minute. */
const MAX_REFUSALS = 5;
const MAX_WAIT_MS = 5 * 60_000;
/** GitHub's lists lag behind: what was made although the answer was lost is not found in them at once. */
const LISTED_MS = 5000;

/** How often an act is tried that fails as it just did: `passing` when it may work later. */
export function mostTries(act: Act, passing: boolean): number {
  // The next step has newer files.
  if (act.kind === "keep") return 1;
  if (passing) return TEXT_ACTS.includes(act.kind) ? Number.POSITIVE_INFINITY : MAX_ATTEMPTS;
  // A job that is refused something ends and says why; what it leaves behind has nobody to say it.
  return ASKED_ACTS.includes(act.kind) ? 1 : MAX_REFUSALS;
}

/**
 * How long to wait after so many failures before this one, in ms, varied by a quarter. `unknown`: whether the
 * act may have made something all the same, which the next try has to find.
 */
export function waitAfter(failures: number, act: Act, unknown: boolean): number {
  const own =
    Math.min(MAX_WAIT_MS, 1000 * 2 ** Math.min(failures, 10)) * (0.75 + Math.random() / 2);
  const listed = act.kind === "comment" || act.kind === "check_run";
  return unknown && listed ? Math.max(LISTED_MS, own) : own;
}
