import { setTimeout as sleep } from "node:timers/promises";
import { TransientError } from "../core/errors.ts";
import type { JobEvent } from "../core/event.ts";
import type { LedgerStore, Settlement } from "../core/ledger.ts";
import type { JobStore, Log } from "../core/ports.ts";

/** How soon a write is tried again that the database did not take. */
const AGAIN_MS = 300;

/** What a write waits with. */
interface Patience {
  /** Throws when the claim does not surely hold any more. */
  insist: () => void;
  log: Log;
}

/**
 * The same store, whose writes wait for a database that is away for a while, for as long as the claim surely
 * holds: what was paid for is not thrown away because of seconds.
 */
export function persistent(jobs: JobStore, patience: Patience): JobStore {
  return {
    ...jobs,
    write: (id, fence, patch, events = [], kept) =>
      patiently(id, patience, async (again) => {
        // An answer that was lost on its way may have been a success.
        if (again && endsWith(await jobs.events(id), events)) return true;
        return jobs.write(id, fence, patch, events, kept);
      }),
  };
}

/**
 * The same ledger, which waits alike: a call stands in it once, however often it is written. Words of
 * providers go through `redact`, for some quote what they were sent.
 */
export function persistentLedger(
  ledger: LedgerStore,
  patience: Patience,
  redact: (text: string) => string,
): LedgerStore {
  return {
    spentBy: (ids) => ledger.spentBy(ids),
    reserve: (call, caps) => patiently(call.jobId, patience, () => ledger.reserve(call, caps)),
    settle: (id, how) => patiently(id, patience, () => ledger.settle(id, said(how, redact))),
  };
}

function said(how: Settlement, redact: (text: string) => string): Settlement {
  if (how.kind !== "answered") return { ...how, reason: redact(how.reason) };
  return { ...how, requestId: how.requestId && redact(how.requestId) };
}

/** Writes until the database takes it; `again` is false the first time. */
async function patiently<T>(
  what: string,
  { insist, log }: Patience,
  write: (again: boolean) => Promise<T>,
): Promise<T> {
  for (let again = false; ; again = true) {
    try {
      return await write(again);
    } catch (thrown) {
      if (!(thrown instanceof TransientError)) throw thrown;
      if (!again) log.warn({ id: what, reason: thrown.message }, "a write waits");
    }
    await sleep(AGAIN_MS);
    insist();
  }
}

/** Whether these are the last events of a history; never for none, which change nothing when written twice. */
function endsWith(history: JobEvent[], events: JobEvent[]): boolean {
  if (events.length === 0) return false;
  const last = history.slice(-events.length);
  return JSON.stringify(last) === JSON.stringify(events);
}
