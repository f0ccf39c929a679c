import PQueue from "p-queue";
import type { Log, Queue } from "../../core/ports.ts";
import { createSteady } from "./steady.ts";

/** How soon to look for jobs that nobody announced: those that wait for a time, or were left behind. */
const LOOK_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;

/** A queue within one process. */
export function createLocalQueue({ log }: { log: Log }): Queue {
  let queue: PQueue | null = null;
  let serve: () => Promise<boolean> = async () => false;
  let timer: NodeJS.Timeout | undefined;
  const stopped = new AbortController();
  /** Raised when there may be more: a look that began before may have missed it. */
  let news = 0;

  async function work(): Promise<void> {
    for (let seen = -1; !stopped.signal.aborted && seen !== news; ) {
      seen = news;
      if (await serve()) seen = -1;
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
      const { signal } = stopped;
      serve = createSteady(given, { longestMs: LONGEST_RETRY_MS, stopped: signal, log });
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
