import { endedShort, endWords } from "../goes-on.ts";
import { isTerminal, type Job, type VerifiedChange } from "../job.ts";
import { shortId } from "../plan.ts";
import { commitLink } from "./opening.ts";
import { count } from "./words.ts";

/** What became of the work of a job that was stopped at a limit, by the jobs that went on with it. */
export type Sequel =
  | { kind: "none" }
  /** `left`: what the plan of the job that ended it leaves open, by its own word. */
  | { kind: "finished"; by: Job; left: string[] }
  | { kind: "under_way" | "held" | "stopped"; by: Job };

/** What became of a job by `later`, oldest first: who finished it tells so, else the newest that went on with it. */
export function sequel({ id }: Job, later: Job[]): Sequel {
  const after = later.filter(({ continues }) => continues?.jobs.includes(id));
  const end = after.findLast(finishes);
  if (end) return { kind: "finished", by: end, left: openItems(end) };
  const by = after.at(-1);
  if (!by) return { kind: "none" };
  if (isStopped(by)) return { kind: "stopped", by };
  return { kind: isTerminal(by.state) ? "held" : "under_way", by };
}

function finishes({ state, change, publication, ending }: Job): boolean {
  if (state === "no_change") return ending?.kind !== "declined";
  // What is published stands, although its job has its last step before it.
  const published = state === "publishing" && publication !== null;
  return state === "done" || (published && change?.limit === null);
}

function isStopped(job: Job): boolean {
  const limited = job.change !== null && job.change.limit !== null && job.publication !== null;
  return endedShort(job) || (job.state === "publishing" && limited);
}

/** What became of a stopped job, as a clause; empty where nobody went on with it. */
export function sequelWords(then: Sequel): string {
  if (then.kind === "none") return "";
  const { by } = then;
  const job = `job \`${shortId(by.id)}\`${placeOf(by)}`;
  switch (then.kind) {
    case "under_way":
      return `${job} goes on with it`;
    case "held":
      return `${job} went on with it, and what it made waits for the word of an admin`;
    case "stopped":
      return `${job} went on with it and ${endWords(by)}`;
    case "finished":
      return `${job} ${endedWith(then)}`;
  }
}

function placeOf({ target, publication, issue }: Job): string {
  if (target.kind === "follow_up") return ` on #${target.pull}`;
  return ` (#${publication?.pull ?? issue})`;
}

/** What the plan of a job leaves open. */
function openItems({ plan }: Job): string[] {
  return plan.filter(({ status }) => status !== "done").map(({ text }) => text);
}

/** How the work of a pull request stands whose agent, or that of a later commit, was stopped at a limit. */
export type Standing =
  | { kind: "whole" }
  /** `later`: whether it was the agent of a later commit. */
  | {
      kind: "unfinished";
      job: Job;
      change: VerifiedChange;
      limit: string;
      later: boolean;
      since: Exclude<Sequel, { kind: "finished" }>;
      left: string[];
    }
  | { kind: "finished"; by: Job; left: string[] };

/**
 * How the work stands by the job that opened the pull request and those after it, oldest first: that published
 * to it, or went on with one of them.
 */
export function standing(opener: Job, change: VerifiedChange, later: Job[]): Standing {
  const pull = opener.publication?.pull;
  const published = later.flatMap((job) =>
    job.change !== null && job.publication !== null && job.publication.pull === pull
      ? [{ job, change: job.change }]
      : [],
  );
  const stopped = [{ job: opener, change }, ...published].flatMap((each) =>
    each.change.limit === null
      ? []
      : [{ ...each, limit: each.change.limit, since: sequel(each.job, later) }],
  );
  for (const { job, limit, since, ...stop } of stopped.toReversed()) {
    if (since.kind === "finished") continue;
    // The newest plan of them all: who goes on with a job is told what its plan left.
    const line = [opener, ...later].filter(
      (each) =>
        each.id === job.id ||
        job.continues?.jobs.includes(each.id) ||
        each.continues?.jobs.includes(job.id),
    );
    const planned = line.findLast(({ plan }) => plan.length > 0);
    const left = planned ? openItems(planned) : [];
    return {
      kind: "unfinished",
      job,
      change: stop.change,
      limit,
      later: job !== opener,
      since,
      left,
    };
  }
  const last = stopped.at(-1)?.since;
  if (last?.kind !== "finished") return { kind: "whole" };
  return { kind: "finished", by: last.by, left: last.left };
}

/** Who ended what was left of a pull request, and how, as a clause: by its commit, or the job where it added none. */
export function finishedBy(stands: Extract<Standing, { kind: "finished" }>): string {
  const { by } = stands;
  const who =
    by.publication === null
      ? `the later job \`${shortId(by.id)}\``
      : `the later commit ${commitLink(by)}`;
  return `${who} ${endedWith(stands)}`;
}

function endedWith({ by, left }: { by: Job; left: string[] }): string {
  if (left.length > 0) return `went on with it, and left ${count(left.length, "item")} of its plan`;
  return by.state === "no_change"
    ? "went on with it and found nothing more to change"
    : "finished the work";
}
