import { MAX_TASK, type ParsedTask } from "../core/command.ts";
import type { Flags } from "../core/command-flags.ts";
import { endedShort, flagsOf, goOnText, joined, skillGiven, taskSoFar } from "../core/goes-on.ts";
import { isTerminal, type Job } from "../core/job.ts";
import { count } from "../core/messages/words.ts";
import { shortId } from "../core/plan.ts";
import type { CommandStore, TakenUp } from "../core/ports.ts";
import { isReadOnly } from "../core/verbs.ts";

/** What a new job keeps of the one it goes on with; `skillBy` where the skill is that job's. */
interface GoesOn {
  continues: NonNullable<Job["continues"]>;
  skillBy?: NonNullable<Job["skillBy"]>;
  takenUp: TakenUp;
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

type AskedJobs = Pick<CommandStore, "askedAt" | "followUpsOf" | "wentOnWith">;

/** The jobs that may be meant, and those that went on with one of them, oldest first. */
interface Known {
  jobs: Job[];
  later: Job[];
}

type Found = { kind: "job"; job: Job } | { kind: "none" } | { kind: "refused"; problem: string };

/**
 * Makes a whole task of `/codex continue`. On a pull request of ours it goes on with a job that opened it or
 * was asked for on it; elsewhere it begins anew with one that has no pull request. Without digits that is the
 * last that stopped before its end, and nobody went on with; where there is none, words after `continue` are a
 * task like any other.
 */
export async function continued(task: ParsedTask, at: At, commands: AskedJobs): Promise<Continued> {
  const { continues, text: words, flags } = task;
  if (continues === undefined) return { ok: true, task, goesOn: null };
  const { ours } = at;
  const known = await jobsAt(at, commands);
  const hasWords = words !== "";
  const found =
    continues.job === null
      ? lastStopped(known, { onPull: ours !== null, hasWords })
      : called(continues.job, known, ours !== null);
  if (found.kind === "refused") return { ok: false, problem: found.problem };
  if (found.kind === "none") {
    return { ok: true, task: { text: continues.whole, flags }, goesOn: null };
  }
  const { job } = found;
  const whole = joined(taskSoFar(job), words);
  const onBranch = ours !== null && !isReadOnly(job.work);
  const text = whole && (onBranch ? goOnText(job, openItems(job, known), words) : whole);
  if (whole === null || text === null) return refused(tooLong(job, words));
  const given = skillGiven(job);
  // Begun anew, the task names its skill by its first word as it did before.
  const kept = given !== null && (ours || given.by !== "first_word") ? given : null;
  const skillBy = flags.skill === undefined ? kept?.by : undefined;
  return {
    ok: true,
    task: {
      ...{ text, flags: flagsFor(job, flags, kept?.skill, at) },
      // A question stays one: it never becomes work that writes.
      ...(isReadOnly(job.work) && { work: job.work }),
    },
    goesOn: {
      continues: { jobs: [...(job.continues?.jobs ?? []), job.id], task: whole },
      ...(skillBy && { skillBy }),
      takenUp: { job: job.id, known: after(job, known).map(({ id }) => id) },
    },
  };
}

/**
 * The jobs that failed on an issue or pull request and nobody went on with, as tasks that begin them anew; `job`
 * names one that may have ended otherwise. A sentence without its full stop where there is none.
 */
export async function retried(
  { retries, flags }: ParsedTask & { retries: { job: string | null } },
  at: At,
  commands: AskedJobs,
): Promise<ParsedTask[] | string> {
  const again = (job: string): ParsedTask => ({
    ...{ text: "", flags },
    continues: { job, whole: `retry ${job}` },
  });
  if (retries.job !== null) return [again(retries.job)];
  const known = await jobsAt(at, commands);
  const failed = known.jobs.filter(
    (job) => job.state === "failed" && after(job, known).length === 0,
  );
  if (failed.length > 0) return failed.map(({ id }) => again(shortId(id)));
  return "nothing that was asked for here failed; `/codex retry JOB` begins one with these 8 digits anew, as its board shows them";
}

async function jobsAt({ repoId, issue, ours }: At, commands: AskedJobs): Promise<Known> {
  const asked = await commands.askedAt(repoId, issue);
  const all = ours ? [ours, ...(await commands.followUpsOf(repoId, issue)), ...asked] : asked;
  const unique = new Map(all.map((job) => [job.id, job]));
  const later = await commands.wentOnWith([...unique.keys()]);
  return {
    jobs: [...unique.values()].sort((a, b) => a.createdAt - b.createdAt || a.number - b.number),
    later,
  };
}

/** The last job that stopped before its end and nobody went on with: at a limit, else for another reason. */
function lastStopped(known: Known, how: { onPull: boolean; hasWords: boolean }): Found {
  const { jobs } = known;
  const stopped = jobs.filter((job) => endedShort(job) && after(job, known).length === 0);
  const open = stopped.filter(({ publication }) => how.onPull || publication === null);
  const job = open.findLast(({ state }) => state === "over_budget") ?? open.at(-1);
  if (job) return { kind: "job", job };
  const instead = how.hasWords
    ? "; to ask for something new, begin it with another word than `continue`"
    : "";
  const last = stopped.at(-1) ?? jobs.findLast(({ state }) => !isTerminal(state));
  const why = last && (atWork(last, known) ?? onItsPull(last, known));
  if (why?.kind === "refused") return refusal(`${why.problem}${instead}`);
  if (how.hasWords) return { kind: "none" };
  const ended = how.onPull ? undefined : jobs.findLast(({ publication }) => publication !== null);
  return (
    (ended && onItsPull(ended, known)) ??
    refusal(
      "nothing that was asked for here stopped before its end; write what is to be done, as in `/codex <what to change>`, or after `continue` the 8 digits of a job, as its board shows them",
    )
  );
}

/** The job by its digits. */
function called(digits: string, known: Known, onPull: boolean): Found {
  const job = known.jobs.findLast(({ id }) => shortId(id) === digits);
  if (job === undefined) {
    return refusal(`there is no job \`${digits}\` here; its 8 digits stand on the board`);
  }
  const hindrance = atWork(job, known) ?? (onPull ? null : onItsPull(job, known));
  return hindrance ?? { kind: "job", job };
}

/** The jobs that went on with one: they tell how it stands. */
function after({ id }: Job, { later }: Known): Job[] {
  return later.filter(({ continues }) => continues?.jobs.includes(id));
}

function atWork(job: Job, known: Known): Found | null {
  if (!isTerminal(job.state)) return refusal(`${nameOf(job)} is still at work`);
  const next = after(job, known).find(({ state }) => !isTerminal(state));
  return next ? refusal(`${nameOf(next)} goes on with ${nameOf(job)} already`) : null;
}

/** Why a job that has a pull request, or is taken up by one that has, does not begin anew. */
function onItsPull(job: Job, known: Known): Found | null {
  const published = [...after(job, known), job].find(({ publication }) => publication !== null);
  if (!published?.publication) return null;
  return refusal(
    `${nameOf(published)} has a pull request; write \`/codex continue\` on #${published.publication.pull}`,
  );
}

/** What the newest plan of a job, of those before it and of those that went on with it, left open. */
function openItems(job: Job, known: Known): string[] {
  const since = after(job, known);
  if (since.some(({ state }) => state === "done")) return [];
  const { jobs, later } = known;
  const before = (job.continues?.jobs ?? []).map((id) =>
    [...jobs, ...later].find((each) => each.id === id),
  );
  const planned = [...before, job, ...since].findLast((each) => each && each.plan.length > 0);
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

function nameOf({ id }: Job): string {
  return `job \`${shortId(id)}\``;
}

function tooLong(job: Job, words: string): string {
  return `the task of ${nameOf(job)} and ${count(words.length, "character")} more are longer than the ${MAX_TASK.toLocaleString("en")} that a task may have; say it in fewer words, or put them into the issue and point to it`;
}

function refusal(problem: string): Found {
  return { kind: "refused", problem };
}

function refused(problem: string): Continued {
  return { ok: false, problem };
}
