import { StoppedByPerson, toError } from "../core/errors.ts";
import { isTerminal, type Job } from "../core/job.ts";
import type { Busy, ClaimStore, StopStore } from "../core/ports.ts";
import { canRun } from "../core/sandbox-port.ts";
import { stopReason } from "../core/stopped.ts";
import { createAlone } from "./alone.ts";
import { createAttempt } from "./attempt.ts";
import { LEASE_MS } from "./lease.ts";
import { createRounds } from "./rounds.ts";
import { type RunDeps, runJob } from "./run-job.ts";

/** How soon a running job hears that somebody stopped it. */
const STOP_LOOK_MS = 1_000;
/** Stopped jobs that nobody works on are ended so many at a time. */
const ENDED_AT_ONCE = 8;

export interface WorkerDeps extends RunDeps {
  claims: ClaimStore;
  stops: StopStore;
  /** This process. */
  owner: string;
  /** The place where it keeps its mirrors. */
  worker: string;
  /** Jobs of one repository at a time, all processes together. */
  perRepository: number;
  /** Why no job should begin as long as so much lies on the disk, in words for the operator. */
  full: () => string | null;
}

/** Takes jobs and runs them. */
export interface Worker {
  /** Hears from now on of jobs that somebody stopped. */
  start(): void;
  /** Takes the next job and runs it to its end; false when there is none to take. */
  serve(): Promise<boolean>;
  /** How many run now. */
  busy(): number;
  /** Which. */
  at: Busy;
  /** Looks now for jobs that somebody stopped. */
  heed(): void;
  /** Takes no more; what runs is given back after its present step, to go on later, here or elsewhere. */
  wind(): void;
  /** Gives back what still runs, in the midst of its step; resolves when nothing is looked for any more. */
  stop(): Promise<void>;
}

/** A claimed job, and when it was asked for by the monotonic clock. */
interface Claimed {
  job: Job;
  claimedAt: number;
}

/** Makes a worker that takes jobs while the operator lets it and the machine has room. */
export function createWorker(given: WorkerDeps): Worker {
  const alone = createAlone(given);
  const deps = { ...given, claims: alone.claims, jobs: alone.jobs };
  const { claims, stops, owner, worker, perRepository, log } = deps;
  const running = new Map<
    string,
    { stop: AbortController; ended: Promise<void>; repository: number }
  >();
  let left = false;
  const winding = new AbortController();
  const stopping = new AbortController();
  const hearing = createRounds(STOP_LOOK_MS, hearStops);
  // Apart from hearing: ending one may wait for GitHub.
  const clearing = createRounds(STOP_LOOK_MS, endStopped);

  async function hearStops(): Promise<void> {
    if (running.size === 0) return;
    try {
      for (const { id, by } of await stops.toStop(owner)) {
        running.get(id)?.stop.abort(new StoppedByPerson(stopReason(by)));
      }
    } catch (thrown) {
      log.warn({ err: toError(thrown) }, "whether a job is to stop could not be read");
    }
  }

  /** Ends those that nobody works on, whether or not there is room or leave to work. */
  async function endStopped(): Promise<void> {
    const ending: Promise<void>[] = [];
    try {
      while (ending.length < ENDED_AT_ONCE && !winding.signal.aborted) {
        const claimed = await claim(true);
        if (claimed === null) break;
        const end = run(claimed);
        // It may fail while the next one is claimed, before anybody waits for it.
        end.catch(() => undefined);
        ending.push(end);
      }
      await Promise.all(ending);
    } catch (thrown) {
      log.warn({ err: toError(thrown) }, "stopped jobs could not be ended; trying again");
      await Promise.allSettled(ending);
    }
  }

  /** Without a sandbox a job could only be ended here; where another worker can run it, that one does. */
  async function leavesToOthers(): Promise<boolean> {
    const boundary = await deps.sandbox.check();
    const leaves = !canRun(boundary) && (await claims.othersWork(worker));
    if (leaves && !left) {
      log.error({ boundary }, "jobs are left to other workers: there is no working sandbox here");
    }
    left = leaves;
    return leaves;
  }

  async function claim(stopped: boolean): Promise<Claimed | null> {
    const claimedAt = performance.now();
    const by = { owner, worker, leaseMs: LEASE_MS, perRepository, stopped };
    const job = await claims.claimNext(by);
    return job && { job, claimedAt };
  }

  async function run({ job, claimedAt }: Claimed): Promise<void> {
    // Lost and taken again: the earlier attempt lets go of the workspace first.
    await running.get(job.id)?.ended;
    const stop = new AbortController();
    if (job.stop !== null) stop.abort(new StoppedByPerson(stopReason(job.stop)));
    const now = AbortSignal.any([stop.signal, stopping.signal]);
    const attempt = runJob(job, claimedAt, deps, { now, soon: winding.signal });
    const ended = attempt.catch(() => undefined);
    running.set(job.id, { stop, ended, repository: job.repo.id });
    try {
      await attempt;
    } finally {
      alone.ended(job);
      running.delete(job.id);
    }
  }

  return {
    start() {
      hearing.start();
      clearing.start();
    },
    async serve() {
      if (winding.signal.aborted) return false;
      const hindrance = await whyNot(deps);
      if (hindrance !== null) {
        await tellWaiting(hindrance, deps);
        return false;
      }
      if (await leavesToOthers()) return false;
      const claimed = await claim(false);
      if (claimed !== null) await run(claimed);
      return claimed !== null;
    },
    busy: () => running.size,
    at: {
      job: (id) => running.has(id),
      repository: (id) => [...running.values()].some(({ repository }) => repository === id),
    },
    heed() {
      hearing.now();
      clearing.now();
    },
    wind() {
      winding.abort(new Error("the server is stopping"));
    },
    async stop() {
      stopping.abort(new Error("the server is stopping"));
      await Promise.all([hearing.stop(), clearing.stop()]);
    },
  };
}

/** Why no job may begin now, in words for its board. */
async function whyNot({ killSwitch, sandbox, full, log }: WorkerDeps): Promise<string | null> {
  const paused = await killSwitch.paused();
  if (paused !== null) return `the operator of this server paused it: ${paused}`;
  const scarce = (await sandbox.room()) ?? full();
  if (scarce === null) return null;
  log.warn({ reason: scarce }, "jobs wait: the machine has no room for them");
  return "this server is short of disk or memory";
}

/** Nothing hinders who only tells. */
const free = () => undefined;

/** Says on the boards of jobs that nobody holds why they wait. */
async function tellWaiting(why: string, deps: WorkerDeps): Promise<void> {
  const lastAction = `waiting: ${why}`;
  for (const id of await deps.claims.waiting()) {
    const job = await deps.jobs.job(id);
    if (!job || isTerminal(job.state) || job.lastAction === lastAction) continue;
    const claim = { signal: new AbortController().signal, insist: free, goOn: free };
    await createAttempt(job, claim, deps).write({ lastAction });
  }
}
