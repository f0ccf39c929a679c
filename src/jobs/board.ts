import {
  type Command,
  isTerminal,
  type Job,
  type Publication,
  type VerifiedChange,
} from "../core/job.ts";
import { boardMarker, renderBoard } from "../core/messages/board.ts";
import { renderPull } from "../core/messages/pull.ts";
import { isDone, renderThread, threadMarker } from "../core/messages/thread.ts";
import type { KeyedAct, Told } from "../core/ports.ts";
import type { Outbox, Telling } from "./outbox.ts";
import { reactionActs } from "./reactions.ts";

/** A job that opened a pull request; follow-ups share a branch and were carried over each other already. */
export type Opened = Job & { change: VerifiedChange; publication: Publication };

export function opened(job: Job): job is Opened {
  return job.target.kind === "new_pull" && job.change !== null && job.publication !== null;
}

/** The act that brings the board of a command to its present state. */
export function boardAct(command: Command, jobs: Job[], later: Job[] = []): KeyedAct {
  return {
    key: `board:${command.id}`,
    lane: `board:${command.id}`,
    act: {
      kind: "comment",
      repo: command.repo,
      issue: command.issue,
      marker: boardMarker(command.id),
      body: renderBoard(command, jobs, later),
      since: command.askedAt,
      ...(jobs.every((job) => isTerminal(job.state)) && { last: true as const }),
    },
  };
}

/** Shows the present state of a command's jobs; the outbox sends the newest state, not every one. */
export async function refreshBoard(
  { outbox }: { outbox: Outbox },
  commandId: string,
): Promise<string[]> {
  return outbox.tell(commandId, (told) => [
    tellingOf(told),
    ...threadAnswers(told),
    ...endReaction(told),
  ]);
}

/** The same, and on the boards and pull requests of the jobs that these go on with how those stand now. */
export async function refreshBoards(deps: { outbox: Outbox }, commandId: string): Promise<void> {
  for (const before of await refreshBoard(deps, commandId)) await refreshWithPulls(deps, before);
}

/** Shows the present state of a command's jobs on its board and in the texts of its pull requests. */
export async function refreshWithPulls(
  { outbox }: { outbox: Outbox },
  commandId: string,
): Promise<void> {
  await outbox.tell(commandId, (told) => [tellingOf(told), ...pullBodies(told)]);
}

function tellingOf({ command, jobs, later }: Told): Telling {
  return {
    keyed: boardAct(command, jobs, later),
    last: jobs.every((job) => isTerminal(job.state)),
  };
}

/** 🚀 once what was asked for stands on GitHub, 👎 when all of it failed; what is held may still be let out. */
function endReaction({ command, jobs }: Told): Telling[] {
  if (jobs.some(({ publication }) => publication !== null)) {
    return reactionActs(command, "rocket").map((keyed) => ({ keyed, last: true }));
  }
  const lost = jobs.every(
    ({ state, change }) => state === "failed" || (state === "blocked" && change === null),
  );
  if (!lost) return [];
  return reactionActs(command, "-1").map((keyed) => ({ keyed, last: true }));
}

/** What became of the threads of a review: an answer in each, and those that were done are resolved. */
function threadAnswers({ command, jobs }: Told): Telling[] {
  const { repo, issue, askedAt: since } = command;
  return jobs.flatMap((job) =>
    (job.threads ?? []).flatMap((thread): Telling[] => {
      const body = renderThread(job, thread);
      if (body === null) return [];
      const key = `thread:${job.id}:${thread.id}`;
      const marker = threadMarker(job.id, thread.id);
      const act = { kind: "comment", repo, issue, thread: thread.id, marker, body, since } as const;
      const answer: Telling = { keyed: { key, lane: key, act }, last: true };
      if (thread.node === null || !isDone(job, thread)) return [answer];
      const resolve = { kind: "resolve", repo, thread: thread.node } as const;
      return [answer, { keyed: { key: `resolve:${key}`, lane: key, act: resolve }, last: true }];
    }),
  );
}

/**
 * The texts of pull requests that have more to say than at first: of others of the same command, of commits that
 * were added to them, or of what became of work that was stopped.
 */
function pullBodies({ command, jobs, later }: Told): Telling[] {
  const all = jobs.filter(opened);
  return all.flatMap((job) => {
    const { change, conflicts, publication } = job;
    const neighbours = all
      .filter((other) => other.id !== job.id && other.target.base === job.target.base)
      .map(({ number, publication: { pull } }) => ({
        ...{ number, pull },
        conflicts: conflicts.find((each) => each.job === number)?.files ?? [],
      }));
    const here = later.filter((each) => concerns(each, job, later));
    if (neighbours.length === 0 && !here.some((each) => tells(each, job))) return [];
    const { headSha, pull } = publication;
    const key = `pull-body:${job.id}`;
    const body = renderPull({ command, job, change, headSha, neighbours, later: here });
    return [
      {
        keyed: { key, lane: key, act: { kind: "pull_body", repo: job.repo, pull, body } },
        last: true,
      },
    ];
  });
}

/** Whether a job added to the pull request, or went on with one that did, or that opened it. */
function concerns({ publication, continues }: Job, opener: Opened, later: Job[]): boolean {
  const { pull } = opener.publication;
  const before = continues?.jobs ?? [];
  return (
    publication?.pull === pull ||
    before.includes(opener.id) ||
    later.some((each) => each.publication?.pull === pull && before.includes(each.id))
  );
}

/** Whether there is something to look at first in a later commit, or it has to do with a limit. */
function tells({ change, allowance }: Job, opener: Opened): boolean {
  if (opener.change.limit !== null) return true;
  if (change === null) return false;
  return change.cautions.length > 0 || allowance !== null || change.limit !== null;
}
