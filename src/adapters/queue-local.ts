import { setTimeout as sleep } from "node:timers/promises";
import PQueue from "p-queue";
import { toError } from "../core/errors.ts";
import type { Log, Queue } from "../core/ports.ts";

/** How soon to look for jobs that nobody announced: those that wait for a time, or were left behind. */
const LOOK_MS = 1_000;
/** How soon to go on after the store failed, and after it failed several times. */
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

/** A queue within one process. */
export function createLocalQueue({ log }: { log: Log }): Queue {
  let queue: PQueue | null = null;
  let serve: () => Promise<boolean> = async () => false;
  let timer: NodeJS.Timeout | undefined;
  const stopped = new AbortController();
  let failures = 0;
  /** Raised when there may be more: a look that began before may have missed it. */
  let news = 0;

  async function work(): Promise<void> {
    for (let seen = -1; !stopped.signal.aborted && seen !== news; ) {
      seen = news;
      try {
        if (await serve()) seen = -1;
        failures = 0;
      } catch (thrown) {
        // The row could not even be settled: the store is in trouble. The row is unchanged.
        const waitMs = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(failures, 10));
        failures += 1;
        log.error({ err: toError(thrown), waitMs }, "a job could not be settled; going on");
        // Ends early when the queue stops.
        await sleep(waitMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      }
    }
  }

  function wake(): void {
    news += 1;
    if (queue === null || stopped.signal.aborted) return;
    while (queue.pending + queue.size < queue.concurrency) void queue.add(work);
  }

  return {
    async start(slots, given) {
      queue = new PQueue({ concurrency: slots });
      serve = given;
      timer = setInterval(wake, LOOK_MS);
      wake();
    },
    wake,
    async stop() {
      stopped.abort();
      clearInterval(timer);
      await queue?.onIdle();
    },
  };
}
