import { jobLane } from "../core/act.ts";
import { UserError } from "../core/errors.ts";
import { foldPath } from "../core/fold-path.ts";
import { branchOf, type Job, type VerifiedChange } from "../core/job.ts";
import type { Attempt } from "./attempt.ts";
import type { Outbox } from "./outbox.ts";

/** The commit on GitHub: made by its API where that exists, else the pushed one. */
export async function putCommit(
  { job, holder }: Attempt,
  change: VerifiedChange,
  outbox: Outbox,
): Promise<string> {
  const { repo } = job;
  const workflows = changesWorkflows(change);
  const { commit, tree, parent, message } = change;
  await outbox.perform<"push">(
    `push:${turn(job)}:${commit}`,
    lane(job),
    { kind: "push", repo, commit, ref: privateRef(job), workflows },
    holder,
  );
  const made = await outbox.perform<"commit">(
    `commit:${turn(job)}:${commit}`,
    lane(job),
    { kind: "commit", repo, tree, parents: [parent], message, workflows },
    holder,
  );
  return made?.sha ?? change.commit;
}

/**
 * A branch of the job's own at the commit, or at the one that an earlier word of an admin made of the
 * same change; where it stands. Throws UserError when it stands elsewhere.
 */
export async function putNewBranch(
  attempt: Attempt,
  change: VerifiedChange,
  sha: string,
  outbox: Outbox,
): Promise<string> {
  const { target } = attempt.job;
  const put = await putBranch(attempt, change, sha, null, outbox);
  if (put.status === "done") return sha;
  const ours = change.made?.some((made) => made.sha === put.sha);
  if (ours) return put.sha;
  throw new UserError(
    `the branch ${branchOf(target)} exists already at ${put.sha.slice(0, 12)} and was left alone`,
  );
}

/** The branch at the commit, or where it stands instead. */
export async function putBranch(
  { job, holder }: Attempt,
  change: VerifiedChange,
  sha: string,
  from: string | null,
  outbox: Outbox,
) {
  const branch = branchOf(job.target);
  const workflows = changesWorkflows(change);
  return outbox.perform<"branch">(
    `branch:${turn(job)}:${sha}`,
    lane(job),
    { kind: "branch", repo: job.repo, branch, sha, from, workflows },
    holder,
  );
}

/** Asks for the private ref to go. */
export async function dropPrivateRef(job: Job, outbox: Outbox): Promise<void> {
  // Nothing waits for it: a leftover private ref is invisible and harms nobody.
  await outbox.put({
    key: `delete-ref:${turn(job)}`,
    lane: lane(job),
    act: { kind: "delete_ref", repo: job.repo, ref: privateRef(job) },
  });
}

/** Outside refs/heads, so that it triggers no workflow and shows in no list of branches. */
function privateRef(job: Job): string {
  return `refs/draftsmith/${job.id}`;
}

/** Acts of one job are performed in order. */
export function lane(job: Job): string {
  return jobLane(job.id);
}

/** Part of the keys of acts: each word of an admin is a new turn, in which what GitHub refused is asked again. */
export function turn(job: Job): string {
  return job.allowance === null ? job.id : `${job.id}:${job.allowance.at}`;
}

function changesWorkflows(change: VerifiedChange): boolean {
  return change.files.some(({ path }) => foldPath(path).startsWith(".github/workflows/"));
}
