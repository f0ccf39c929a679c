import { setTimeout as sleep } from "node:timers/promises";
import { TransientError } from "../core/errors.ts";
import type { JobEvent } from "../core/event.ts";
import type { JobStore, Log } from "../core/ports.ts";

/** How soon a write is tried again that the database did not take. */
const AGAIN_MS = 300;

/**
 * The same store, whose writes wait for a database that is away for a while, for as long as the claim surely
 * holds (`insist` throws when it does not): what was paid for is not thrown away because of seconds.
 */
export function persistent(
  jobs: JobStore,
  { insist, log }: { insist: () => void; log: Log },
): JobStore {
  return {
    ...jobs,
    async write(id, fence, patch, events = [], kept) {
      for (let tries = 1; ; tries += 1) {
        try {
          // An answer that was lost on its way may have been a success.
          if (tries > 1 && endsWith(await jobs.events(id), events)) return true;
          return await jobs.write(id, fence, patch, events, kept);
        } catch (thrown) {
          if (!(thrown instanceof TransientError)) throw thrown;
          if (tries === 1) log.warn({ jobId: id, reason: thrown.message }, "a write waits");
        }
        await sleep(AGAIN_MS);
        insist();
      }
    },
  };
}

/** Whether these are the last events of a history; never for none, which change nothing when written twice. */
function endsWith(history: JobEvent[], events: JobEvent[]): boolean {
  if (events.length === 0) return false;
  const last = history.slice(-events.length);
  return JSON.stringify(last) === JSON.stringify(events);
}
