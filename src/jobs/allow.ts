import type { Job } from "../core/job.ts";
import { isTerminal } from "../core/job.ts";
import { codeSpan } from "../core/markdown.ts";
import { refusal } from "../core/messages/answers.ts";
import { allowCommand, heldChange, heldReason } from "../core/messages/held.ts";
import type { AllowanceStore, CommandStore, GitHub, JobStore } from "../core/ports.ts";
import { refreshBoards } from "./board.ts";
import { movedBase } from "./let-out.ts";
import type { Outbox } from "./outbox.ts";
import type { AllowRequest } from "./submit.ts";

export interface AllowDeps {
  allowances: AllowanceStore;
  jobs: Pick<JobStore, "job">;
  commands: CommandStore;
  outbox: Outbox;
  github: GitHub;
  now: () => number;
}

/**
 * Lets out exactly the change that a job holds, on the word of an admin: the gate has asked who that is.
 * Said twice, or after a restart, it changes nothing. `start` are the jobs to wake.
 */
export async function allow(
  request: AllowRequest,
  deps: AllowDeps,
): Promise<{ text: string; start: string[] }> {
  const { repo, issue, job: shortId, sha, actor } = request;
  const refuse = (reason: string) => ({ text: refusal(actor.login, reason), start: [] });
  const called = await deps.allowances.jobsCalled(repo.id, shortId);
  // The word of one conversation opens nothing in another: there the board was not seen.
  const here = called.filter((each) => each.issue === issue);
  const job = here.find((each) => isMeant(each, sha)) ?? here[0];
  if (job === undefined) return refuse(`there is no job ${codeSpan(shortId)} on #${issue}`);
  const known = alreadyAllowed(job, sha);
  if (known !== null) return known;
  const change = heldChange(job);
  if (change === null) {
    return refuse(`the job ${codeSpan(shortId)} holds no change`);
  }
  if (!isMeant(job, sha)) {
    return refuse(
      `the job ${codeSpan(shortId)} holds another change than ${codeSpan(sha)}. Look at what its board shows, and allow that with ${codeSpan(allowCommand(job, change))}`,
    );
  }
  const moved = await movedBase(job, change, deps.github);
  if (moved !== null) return refuse(moved);
  const allowance = { commit: change.commit, actor, at: deps.now() };
  if (!(await deps.allowances.allow(job.id, allowance))) {
    // Somebody was faster: their word stands.
    const now = await deps.jobs.job(job.id);
    const theirs = now && alreadyAllowed(now, sha);
    return theirs ?? refuse(`the job ${codeSpan(shortId)} changed meanwhile; look at its board`);
  }
  await refreshBoards(deps, job.commandId);
  return {
    text: `**${actor.login}** (admin) lets the change ${codeSpan(change.commit.slice(0, 12))} of task ${job.number} leave. It is checked once more on a clean checkout and then published; the board tells how that ends.\n\nWhy it was held: ${codeSpan(heldReason(change.violations))}.`,
    start: [job.id],
  };
}

function isMeant({ change, allowance }: Job, sha: string): boolean {
  const commit = allowance?.commit ?? change?.commit ?? "";
  return /^[0-9a-f]{7,64}$/.test(sha) && commit.startsWith(sha);
}

/** What is told when the change is on its way, or out, already. */
function alreadyAllowed(job: Job, sha: string): { text: string; start: string[] } | null {
  const { allowance, publication } = job;
  if (allowance === null || job.state === "blocked" || !isMeant(job, sha)) return null;
  const who = `**${allowance.actor.login}** allowed this change already`;
  if (!isTerminal(job.state)) return { text: `${who}; it is on its way.`, start: [job.id] };
  const where = publication === null ? "" : `; it was published in #${publication.pull}`;
  return { text: `${who}${where}.`, start: [] };
}
