import { finishesStep } from "../core/event.ts";
import { type Job, SUSPECT_AFTER } from "../core/job.ts";
import { createLock } from "../core/lock.ts";
import type { ClaimStore, JobStore } from "../core/ports.ts";

/** Claims by which no job that ends its process takes others with it again and again. */
export interface Alone {
  claims: ClaimStore;
  jobs: JobStore;
  /** The attempt of a claimed job is over. */
  ended(job: Job): void;
}

/**
 * Gives a process to a job alone with which several processes died, until the job finishes a step: then it
 * is shown that the deaths had another cause.
 */
export function createAlone({ claims, jobs }: { claims: ClaimStore; jobs: JobStore }): Alone {
  const lock = createLock();
  const held = new Set<Job>();
  let suspect: Job | null = null;

  return {
    claims: {
      ...claims,
      claimNext: (by) => (by.stopped === true ? claims.claimNext(by) : lock("", () => next(by))),
    },
    jobs: {
      ...jobs,
      async write(id, fence, patch, events = [], kept) {
        const written = await jobs.write(id, fence, patch, events, kept);
        if (written && id === suspect?.id && events.some(finishesStep)) suspect = null;
        return written;
      },
    },
    ended(job) {
      held.delete(job);
      if (job === suspect) suspect = null;
    },
  };

  async function next(by: Parameters<ClaimStore["claimNext"]>[0]): Promise<Job | null> {
    if (suspect !== null) return null;
    const job = await claims.claimNext({ ...by, alone: held.size === 0 });
    if (job === null) return null;
    held.add(job);
    if ((job.crashes?.all ?? 0) >= SUSPECT_AFTER) suspect = job;
    return job;
  }
}
