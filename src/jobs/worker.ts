import { StoppedByPerson, toError } from "../core/errors.ts";
import { isTerminal } from "../core/job.ts";
import type { ClaimStore, StopStore } from "../core/ports.ts";
import { createAttempt } from "./attempt.ts";
import { LEASE_MS } from "./lease.ts";
import { type RunDeps, runJob } from "./run-job.ts";

/** How soon a running job hears that somebody stopped it. */
const STOP_LOOK_MS = 1_000;

export interface WorkerDeps extends RunDeps {
  claims: ClaimStore;
  stops: StopStore;
  /** This process. */
  owner: string;
  /** The place where it keeps its mirrors. */
  worker: string;
  /** Jobs of one repository at a time, all processes together. */
  perRepository: number;
}

/** Takes jobs and runs them. */
export interface Worker {
  /** Takes the next job and runs it to its end; false when there is none to take. */
  serve(): Promise<boolean>;
  /** How many run now. */
  busy(): number;
  /** Interrupts what runs: it is given back and goes on later, here or elsewhere. */
  stop(): void;
}

/** Makes a worker that takes jobs while the operator lets it and the machine has room. */
export function createWorker(deps: WorkerDeps): Worker {
  const { claims, stops, owner, worker, perRepository, log } = deps;
  const running = new Map<string, AbortController>();
  const stopping = new AbortController();
  const look = setInterval(() => void hearStops(), STOP_LOOK_MS);
  look.unref();

  async function hearStops(): Promise<void> {
    if (running.size === 0) return;
    try {
      for (const { id, by } of await stops.toStop(owner)) {
        running.get(id)?.abort(new StoppedByPerson(by.login));
      }
    } catch (thrown) {
      log.warn({ err: toError(thrown) }, "whether a job is to stop could not be read");
    }
  }

  return {
    async serve() {
      if (stopping.signal.aborted) return false;
      const hindrance = await whyNot(deps);
      if (hindrance !== null) {
        await tellWaiting(hindrance, deps);
        return false;
      }
      const claimedAt = performance.now();
      const job = await claims.claimNext({ owner, worker, leaseMs: LEASE_MS, perRepository });
      if (job === null) return false;
      const stop = new AbortController();
      running.set(job.id, stop);
      if (job.stop !== null) stop.abort(new StoppedByPerson(job.stop.login));
      try {
        await runJob(job, claimedAt, deps, AbortSignal.any([stop.signal, stopping.signal]));
      } finally {
        running.delete(job.id);
      }
      return true;
    },
    busy: () => running.size,
    stop() {
      clearInterval(look);
      stopping.abort(new Error("the server is stopping"));
    },
  };
}

/** Why no job may begin now, in words for its board. */
async function whyNot({ killSwitch, sandbox, log }: WorkerDeps): Promise<string | null> {
  const paused = await killSwitch.paused();
  if (paused !== null) return `the operator of this server paused it: ${paused}`;
  const scarce = await sandbox.room();
  if (scarce === null) return null;
  log.warn({ reason: scarce }, "jobs wait: the machine has no room for them");
  return "this server is short of disk or memory";
}

/** Says on the boards of jobs that nobody holds why they wait. */
async function tellWaiting(why: string, deps: WorkerDeps): Promise<void> {
  const lastAction = `waiting: ${why}`;
  for (const id of await deps.claims.waiting()) {
    const job = await deps.jobs.job(id);
    if (!job || isTerminal(job.state) || job.lastAction === lastAction) continue;
    await createAttempt(job, () => undefined, deps).write({ lastAction });
  }
}
