import { isTerminal, type Job, type RepoRef } from "../core/job.ts";
import { codeSpan } from "../core/markdown.ts";
import { count } from "../core/messages/words.ts";
import { shortId } from "../core/plan.ts";
import type { AllowanceStore, CommandStore, StopStore } from "../core/ports.ts";
import { refreshBoards } from "./board.ts";
import type { Outbox } from "./outbox.ts";

export interface StopDeps {
  stops: StopStore;
  commands: Pick<CommandStore, "command">;
  allowances: Pick<AllowanceStore, "jobsCalled">;
  outbox: Outbox;
}

/** A person's word that work is to end. */
export interface StopRequest {
  repo: RepoRef;
  /** Issue or pull request on which it was said. */
  issue: number;
  /** The short id of a job; null for all jobs of that issue or pull request. */
  job: string | null;
  actor: { id: number; login: string };
  /** When it was said, in ms since the epoch: what it ended before a crash is told again. */
  at: number;
}

/**
 * Stops the jobs that are meant: those that have not begun at once, the others wherever they run. The gate
 * has asked who may. Said twice, or after a restart, it changes nothing.
 */
export async function stopJobs(
  { repo, issue, job: called, actor, at }: StopRequest,
  deps: StopDeps,
): Promise<{ text: string }> {
  const meant =
    called === null
      ? await askedBefore(at, await deps.stops.jobsAt(repo.id, issue, at), deps)
      : await jobsCalled(repo.id, called, issue, deps);
  const open = meant.filter((job) => !isTerminal(job.state));
  const ids = open.map(({ id }) => id);
  const by = { id: actor.id, login: actor.login };
  const { cancelled, stopping } = await deps.stops.stop(ids, by);
  for (const commandId of new Set(open.map((job) => job.commandId))) {
    await refreshBoards(deps, commandId);
  }
  // By an earlier delivery of the same words, whose answer was lost.
  const before = meant.filter(
    (job) => job.state === "cancelled" && job.stop?.id === actor.id && (job.endedAt ?? 0) >= at,
  );
  const ended = [...before, ...open.filter(({ id }) => cancelled.includes(id))];
  const ending = open.filter(({ id }) => stopping.includes(id));
  if (ended.length + ending.length === 0) return { text: nothing(actor.login, called, meant) };
  return {
    text: [
      `**${actor.login}** stops ${count(ended.length + ending.length, "task")}.`,
      ...(ended.length > 0 ? [`Not begun, and cancelled: ${names(ended)}.`] : []),
      ...(ending.length > 0
        ? [`Under way, and ended within seconds: ${names(ending)}; the board tells what stands.`]
        : []),
    ].join(" "),
  };
}

/** Those that were asked for by then: a webhook may come hours later, and what was asked since goes on. */
async function askedBefore(at: number, jobs: Job[], { commands }: StopDeps): Promise<Job[]> {
  const found = await Promise.all(
    jobs.map(async (job) => {
      const command = await commands.command(job.commandId);
      return command !== null && Date.parse(command.askedAt) > at ? [] : [job];
    }),
  );
  return found.flat();
}

/** Jobs of the repository by that id; of several those of this conversation. */
async function jobsCalled(
  repoId: number,
  called: string,
  issue: number,
  { allowances }: StopDeps,
): Promise<Job[]> {
  const jobs = await allowances.jobsCalled(repoId, called);
  const here = jobs.filter((job) => job.issue === issue);
  return here.length > 0 ? here : jobs;
}

function nothing(login: string, called: string | null, meant: Job[]): string {
  if (called === null) return `**${login}**, nothing is under way here that could be stopped.`;
  const [job] = meant;
  if (!job) return `**${login}**, there is no job ${codeSpan(called)} in this repository.`;
  return `**${login}**, the job ${codeSpan(called)} has ended already (${job.state.replace("_", " ")}).`;
}

function names(jobs: Job[]): string {
  return jobs.map((job) => `task ${job.number} (${codeSpan(shortId(job.id))})`).join(", ");
}
