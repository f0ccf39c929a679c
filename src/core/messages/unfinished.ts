import type { Job, VerifiedChange } from "../job.ts";

/** How the work of a pull request stands whose agent, or that of a later commit, was stopped at a limit. */
export type Standing =
  | { kind: "whole" }
  /** `later`: whether it was the agent of a later commit. */
  | { kind: "unfinished"; job: Job; change: VerifiedChange; limit: string; later: boolean }
  | { kind: "finished"; by: Job; change: VerifiedChange };

/** How the work stands by the job that opened the pull request and those that published to it later, oldest first. */
export function standing(opener: Job, change: VerifiedChange, followUps: Job[]): Standing {
  const published = followUps.flatMap((job) =>
    job.change !== null && job.publication !== null ? [{ job, change: job.change }] : [],
  );
  const all = [{ job: opener, change }, ...published];
  const wentOn = (id: string) => published.find(({ job }) => job.continues?.jobs.includes(id));
  const stopped = all.filter((each) => each.change.limit !== null);
  const last = stopped.findLast(({ job }) => !wentOn(job.id));
  if (last?.change.limit) {
    const { job, change } = last;
    return { kind: "unfinished", job, change, limit: last.change.limit, later: job !== opener };
  }
  const ends = stopped.flatMap(({ job }) =>
    published.filter((each) => each.job.continues?.jobs.includes(job.id)),
  );
  const end = ends.findLast((each) => each.change.limit === null);
  return end ? { kind: "finished", by: end.job, change: end.change } : { kind: "whole" };
}
