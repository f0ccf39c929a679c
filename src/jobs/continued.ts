import { MAX_TASK, type ParsedTask } from "../core/command.ts";
import type { Flags } from "../core/command-flags.ts";
import { flagsOf, goOnText, joined, skillGiven, taskSoFar } from "../core/goes-on.ts";
import { isTerminal, type Job } from "../core/job.ts";
import { count } from "../core/messages/words.ts";
import { shortId } from "../core/plan.ts";
import type { CommandStore } from "../core/ports.ts";

/** What a new job keeps of the one it goes on with; `skillBy` where the skill is that job's. */
interface GoesOn {
  continues: NonNullable<Job["continues"]>;
  skillBy?: NonNullable<Job["skillBy"]>;
}

/** A whole task, with what it goes on with, or why it cannot: a sentence without its full stop. */
export type Continued =
  | { ok: true; task: ParsedTask; goesOn: GoesOn | null }
  | { ok: false; problem: string };

interface At {
  repoId: number;
  issue: number;
  isPull: boolean;
  /** The job that opened the pull request, if one of ours did. */
  ours: Job | null;
}

type Found = { kind: "job"; job: Job } | { kind: "none" } | { kind: "refused"; problem: string };

/**
 * Makes a whole task of `/codex continue`. On a pull request of ours it goes on with a job that opened it or
 * was asked for on it; elsewhere it begins anew with one that has no pull request. Without digits that is the
 * last that stopped before its end; where none did, words after `continue` are a task like any other.
 */
export async function continued(
  task: ParsedTask,
  at: At,
  commands: Pick<CommandStore, "askedAt" | "followUpsOf">,
): Promise<Continued> {
  const { continues, text: words, flags } = task;
  if (continues === undefined) return { ok: true, task, goesOn: null };
  const { ours } = at;
  const jobs = await jobsAt(at, commands);
  const found = ours
    ? onOurPull(jobs, continues.job)
    : elsewhere(jobs, continues.job, words !== "");
  if (found.kind === "refused") return { ok: false, problem: found.problem };
  if (found.kind === "none") {
    return { ok: true, task: { text: continues.whole, flags }, goesOn: null };
  }
  const { job } = found;
  const whole = joined(taskSoFar(job), words);
  const text = whole && (ours ? goOnText(job, openItems(job, jobs), words) : whole);
  if (whole === null || text === null) return refused(tooLong(job, words));
  const given = skillGiven(job);
  // Begun anew, the task names its skill by its first word as it did before.
  const kept = given !== null && (ours || given.by !== "first_word") ? given : null;
  const skillBy = flags.skill === undefined ? kept?.by : undefined;
  return {
    ok: true,
    task: { text, flags: flagsFor(job, flags, kept?.skill, at) },
    goesOn: {
      continues: { jobs: [...(job.continues?.jobs ?? []), job.id], task: whole },
      ...(skillBy && { skillBy }),
    },
  };
}

/** The jobs that may be meant, oldest first. */
async function jobsAt(
  { repoId, issue, ours }: At,
  commands: Pick<CommandStore, "askedAt" | "followUpsOf">,
): Promise<Job[]> {
  const asked = await commands.askedAt(repoId, issue);
  if (ours === null) return asked;
  const all = [ours, ...(await commands.followUpsOf(repoId, issue)), ...asked];
  const unique = new Map(all.map((job) => [job.id, job]));
  return [...unique.values()].sort((a, b) => a.createdAt - b.createdAt || a.number - b.number);
}

function onOurPull(jobs: Job[], digits: string | null): Found {
  const job =
    digits === null
      ? (jobs.findLast((each) => each.state === "over_budget" && !isTakenUp(each, jobs)) ??
        jobs.at(-1))
      : called(digits, jobs);
  if (job === undefined) return unknown(digits);
  return atWork(job, jobs) ?? { kind: "job", job };
}

function elsewhere(jobs: Job[], digits: string | null, hasWords: boolean): Found {
  if (digits !== null) {
    const job = called(digits, jobs);
    return job === undefined
      ? unknown(digits)
      : (atWork(job, jobs) ?? onItsPull(job, jobs) ?? { kind: "job", job });
  }
  const stopped = jobs.filter((job) => hasStopped(job) && !isTakenUp(job, jobs));
  const open = stopped.filter(({ publication }) => publication === null);
  const job = open.findLast(({ state }) => state === "over_budget") ?? open.at(-1);
  if (job) return { kind: "job", job };
  const instead = hasWords
    ? "; to ask for something new, begin it with another word than `continue`"
    : "";
  const last = stopped.at(-1) ?? jobs.findLast(({ state }) => !isTerminal(state));
  const why = last && (atWork(last, jobs) ?? onItsPull(last, jobs));
  if (why?.kind === "refused") return refusal(`${why.problem}${instead}`);
  if (hasWords) return { kind: "none" };
  const ended = jobs.findLast(({ publication }) => publication !== null);
  return (
    (ended && onItsPull(ended, jobs)) ??
    refusal("nothing that was asked for here stopped before its end; write what is to be done")
  );
}

/** Whether a job ended without having done its task. */
function hasStopped({ state, change }: Job): boolean {
  return (
    state === "over_budget" ||
    state === "failed" ||
    state === "cancelled" ||
    // What is held waits for the word of an admin.
    (state === "blocked" && change === null)
  );
}

/** Whether a later job goes on with it: that one tells how it stands. */
function isTakenUp({ id }: Job, jobs: Job[]): boolean {
  return jobs.some(({ continues }) => continues?.jobs.includes(id));
}

function atWork(job: Job, jobs: Job[]): Found | null {
  if (!isTerminal(job.state)) return refusal(`${nameOf(job)} is still at work`);
  const next = jobs.find(
    ({ state, continues }) => !isTerminal(state) && continues?.jobs.includes(job.id),
  );
  return next ? refusal(`${nameOf(next)} goes on with ${nameOf(job)} already`) : null;
}

/** Why a job that has a pull request, or is taken up by one that has, does not begin anew. */
function onItsPull(job: Job, jobs: Job[]): Found | null {
  const all = [...jobs.filter(({ continues }) => continues?.jobs.includes(job.id)), job];
  const published = all.find(({ publication }) => publication !== null);
  if (!published?.publication) return null;
  return refusal(
    `${nameOf(published)} has a pull request; write \`/codex continue\` on #${published.publication.pull}`,
  );
}

/** What the newest plan of a job, of those before it and of those that went on with it, left open. */
function openItems(job: Job, jobs: Job[]): string[] {
  const after = jobs.filter(({ continues }) => continues?.jobs.includes(job.id));
  if (after.some(({ state }) => state === "done")) return [];
  const before = (job.continues?.jobs ?? []).map((id) => jobs.find((each) => each.id === id));
  const planned = [...before, job, ...after].findLast((each) => each && each.plan.length > 0);
  return (planned?.plan ?? []).filter(({ status }) => status !== "done").map(({ text }) => text);
}

/** What was set for the job, and over it what is written now. */
function flagsFor(job: Job, now: Flags, skill: string | undefined, at: At): Flags {
  const { model, effort, draft, base } = flagsOf(job, { onIssue: !at.isPull });
  // An effort belongs to the model that it was asked of.
  const other = now.model !== undefined && now.model !== model;
  return {
    ...(model !== undefined && { model }),
    ...(effort !== undefined && !other && { effort }),
    ...(skill !== undefined && { skill }),
    ...(at.ours === null && draft !== undefined && { draft }),
    ...(at.ours === null && base !== undefined && { base }),
    ...now,
  };
}

function called(digits: string, jobs: Job[]): Job | undefined {
  return jobs.findLast(({ id }) => shortId(id) === digits);
}

function nameOf({ id }: Job): string {
  return `job \`${shortId(id)}\``;
}

function tooLong(job: Job, words: string): string {
  return `the task of ${nameOf(job)} and ${count(words.length, "character")} more are longer than the ${MAX_TASK.toLocaleString("en")} that a task may have; say it in fewer words, or put them into the issue and point to it`;
}

function unknown(digits: string | null): Found {
  return refusal(`there is no job \`${digits}\` here; its 8 digits stand on the board`);
}

function refusal(problem: string): Found {
  return { kind: "refused", problem };
}

function refused(problem: string): Continued {
  return { ok: false, problem };
}
