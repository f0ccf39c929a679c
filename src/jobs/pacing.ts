import { type Act, ASKED_ACTS } from "../core/act.ts";
import { TransientError } from "../core/errors.ts";
import type { DueRow, Log } from "../core/ports.ts";

/** Between two edits of one comment; pull requests are edited seldom. */
const EDIT_INTERVAL_MS = 3000;
/** A wait for GitHub that a job does not sit out. */
export const LONG_WAIT_MS = 15_000;
/** Between two lines of the log. */
const TELL_MS = 60_000;
const WHY = "GitHub takes only so many writes of one installation in a minute and in an hour";

/** How long after the last edit this one may come; the last of all comes at once. */
export function spacingOf(act: Act, last = false): number {
  return act.kind === "comment" && !last ? EDIT_INTERVAL_MS : 0;
}

/**
 * Tells of rows that were put off because GitHub would not take them now. A job whose act has to wait long is
 * told by `reject`: it gives its place up, and its board says why.
 */
export function createPutOff(deps: {
  reject: (key: string, error: TransientError) => void;
  now: () => number;
  log: Log;
}): (due: DueRow[]) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (due) => {
    const long = due.filter(({ putOffMs }) => putOffMs > LONG_WAIT_MS);
    if (long.length === 0) return;
    if (performance.now() - toldAt > TELL_MS) {
      toldAt = performance.now();
      const ms = Math.max(...long.map(({ putOffMs }) => putOffMs));
      deps.log.info({ writes: long.length, ms, reason: WHY }, "writes to GitHub wait");
    }
    for (const { key, act, putOffMs } of long) {
      if (!ASKED_ACTS.includes(act.kind)) continue;
      deps.reject(key, new TransientError(WHY, { retryAt: deps.now() + putOffMs }));
    }
  };
}
