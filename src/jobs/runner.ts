import PQueue from "p-queue";
import { toError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";

/** What one try of a job leaves: it ended, or it wants to be tried again at a time (ms since the epoch). */
export type Tried = { status: "ended" } | { status: "again"; at: number };

/** The longest delay a timer takes: beyond it a timer would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Runs stored jobs side by side. Rows are the truth; this only wakes what they name. */
export interface Runner {
  /** Starts jobs; one that is queued or running already is tried once more when that try has ended. */
  start(jobIds: string[]): void;
  /** Interrupts what runs; its rows stay as they are and go on at the next start. */
  stop(): Promise<void>;
}

/** A runner that has at most `concurrency` jobs in work. */
export function createRunner(deps: {
  concurrency: number;
  run: (jobId: string, signal: AbortSignal) => Promise<Tried>;
  now: () => number;
  log: Log;
}): Runner {
  const { run, now, log } = deps;
  const queue = new PQueue({ concurrency: deps.concurrency });
  const taken = new Set<string>();
  /** Asked for while they were taken: what asked may have come too late for that try to see it. */
  const called = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  const stopped = new AbortController();

  async function work(jobId: string): Promise<void> {
    if (stopped.signal.aborted) return;
    try {
      const tried = await run(jobId, stopped.signal);
      taken.delete(jobId);
      const again = called.delete(jobId);
      if (tried.status === "again") later(jobId, tried.at - now());
      // An admin may allow a held change while its last try still tidies up.
      else if (again) start([jobId]);
    } catch (thrown) {
      // The row could not even be settled: the store is in trouble. Try again, the row is unchanged.
      taken.delete(jobId);
      log.error(
        { err: toError(thrown), jobId },
        "a job could not be settled; trying again in 10 s",
      );
      later(jobId, 10_000);
    }
  }

  function later(jobId: string, ms: number): void {
    if (stopped.signal.aborted) return;
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        start([jobId]);
      },
      Math.min(Math.max(0, ms), LONGEST_MS),
    );
    timers.add(timer);
  }

  function start(jobIds: string[]): void {
    for (const jobId of jobIds) {
      if (stopped.signal.aborted) continue;
      if (taken.has(jobId)) {
        called.add(jobId);
        continue;
      }
      taken.add(jobId);
      void queue.add(() => work(jobId));
    }
  }

  return {
    start,
    async stop() {
      stopped.abort(new Error("the server is stopping"));
      for (const timer of timers) clearTimeout(timer);
      await queue.onIdle();
    },
  };
}
