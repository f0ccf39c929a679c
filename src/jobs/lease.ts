import { LostLease, toError } from "../core/errors.ts";
import type { ClaimStore, Log } from "../core/ports.ts";

/** How long a claim lasts unless it is renewed: a dead worker's job is taken over after that. */
export const LEASE_MS = 15_000;
const BEAT_MS = 5_000;
/** How long before its end a claim that could not be renewed is given up. */
const MARGIN_MS = 3_000;

/** The claim of one attempt, kept alive while it works. */
export interface Lease {
  /** Aborted, with LostLease, when the job went to another or nobody knows any more. */
  signal: AbortSignal;
  /** Throws LostLease unless the claim is known to hold now, however long this process was stopped. */
  insist(): void;
  /** Renews it no more. */
  end(): void;
}

/**
 * Renews a claim until `end`. `claimedAt` is when it was asked for, by the monotonic clock, which goes on
 * while a process is stopped.
 */
export function keepLease(
  job: { id: string; fence: number },
  claimedAt: number,
  { claims, log }: { claims: ClaimStore; log: Log },
): Lease {
  const lost = new AbortController();
  let sureUntil = claimedAt + LEASE_MS - MARGIN_MS;
  let ended = false;

  function lose(why: string): void {
    if (lost.signal.aborted) return;
    log.warn({ jobId: job.id, fence: job.fence }, `a job is given up here: it ${why}`);
    lost.abort(new LostLease(`job ${job.id} ${why}`));
  }

  async function renew(): Promise<void> {
    const askedAt = performance.now();
    if (await claims.renew(job.id, job.fence, LEASE_MS)) {
      sureUntil = askedAt + LEASE_MS - MARGIN_MS;
    } else if (!ended) {
      // Of an attempt that came to its end meanwhile nobody holds the job.
      lose("was taken over");
    }
  }

  function insist(): void {
    if (performance.now() > sureUntil) lose("may have been taken over");
    lost.signal.throwIfAborted();
  }

  const beat = setInterval(() => {
    if (performance.now() > sureUntil) return lose("may have been taken over");
    renew().catch((thrown) =>
      log.warn({ err: toError(thrown), jobId: job.id }, "a lease could not be renewed"),
    );
  }, BEAT_MS);
  return {
    signal: lost.signal,
    insist,
    end() {
      ended = true;
      clearInterval(beat);
    },
  };
}
