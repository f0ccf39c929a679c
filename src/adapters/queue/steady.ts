import { setTimeout as sleep } from "node:timers/promises";
import { toError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";

/** How soon to go on after the store failed; twice as long after each further time. */
const RETRY_MS = 500;

/**
 * Serves one job at a time for the slots of a queue: false when there was none. What fails is waited out,
 * `longestMs` at most, and there may be more after it; a stop ends the wait.
 */
export function createSteady(
  serve: () => Promise<boolean>,
  { longestMs, stopped, log }: { longestMs: number; stopped: AbortSignal; log: Log },
): () => Promise<boolean> {
  let failures = 0;
  return async () => {
    try {
      const served = await serve();
      failures = 0;
      return served;
    } catch (thrown) {
      // The row could not even be settled: the store is in trouble. The row is unchanged.
      const waitMs = Math.min(longestMs, RETRY_MS * 2 ** Math.min(failures, 10));
      failures += 1;
      log.error({ err: toError(thrown), waitMs }, "a job could not be settled; going on");
      await sleep(waitMs, undefined, { signal: stopped }).catch(() => undefined);
      return true;
    }
  };
}
