import type { Octokit } from "@octokit/rest";
import type { ActOf, ActValues } from "../../core/act.ts";
import { TransientError, UserError } from "../../core/errors.ts";
import { failedWith, HttpFailure, lacksObject } from "./http-failure.ts";
import { isMissing } from "./is-missing.ts";
import { readBranch } from "./read-branch.ts";

const ASK_AGAIN_MS = 3000;

/** Does the same by git, for hosts without a refs API. */
type PushBranch = () => Promise<ActValues["branch"]>;

/**
 * Points a branch at a commit and never moves one that stands where nobody expected it. Throws
 * UserError when a branch that was to be moved on is gone.
 */
export async function writeBranch(
  octokit: Octokit,
  act: ActOf<"branch">,
  push: PushBranch,
  now: () => number,
): Promise<ActValues["branch"]> {
  return act.from === null
    ? create(octokit, act, push, now)
    : advance(octokit, act, act.from, push, now);
}

async function create(
  octokit: Octokit,
  act: ActOf<"branch">,
  push: PushBranch,
  now: () => number,
): Promise<ActValues["branch"]> {
  try {
    await octokit.rest.git.createRef({
      owner: act.repo.owner,
      repo: act.repo.name,
      ref: `refs/heads/${act.branch}`,
      sha: act.sha,
    });
    return { status: "done" };
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    if (await isMissing(octokit, act.repo, error)) return push();
    if (!failedWith(error, 409, 422)) throw error;
    // "Reference already exists" may be the work of a first try whose answer was lost.
    const standing = await readBranch(octokit, act.repo, act.branch);
    if (standing !== null) return compare(standing, act.sha);
    throw notYet(error, now) ?? error;
  }
}

async function advance(
  octokit: Octokit,
  act: ActOf<"branch">,
  from: string,
  push: PushBranch,
  now: () => number,
): Promise<ActValues["branch"]> {
  const before = await readBranch(octokit, act.repo, act.branch);
  if (before === null) {
    if (await answersForBranch(octokit, act)) return push();
    throw gone(act);
  }
  if (before !== from) return compare(before, act.sha);
  try {
    await octokit.rest.git.updateRef({
      owner: act.repo.owner,
      repo: act.repo.name,
      ref: `heads/${act.branch}`,
      sha: act.sha,
      force: false,
    });
    return { status: "done" };
  } catch (error) {
    if (failedWith(error, 405, 501)) return push();
    if (!failedWith(error, 404, 409, 422)) throw error;
    // "Update is not a fast forward": someone was faster than us since the look above.
    const after = await readBranch(octokit, act.repo, act.branch);
    if (after === null) throw gone(act);
    if (after !== from) return compare(after, act.sha);
    if (error.status === 404) return push();
    throw notYet(error, now) ?? error;
  }
}

function compare(standing: string, wanted: string): ActValues["branch"] {
  return standing === wanted ? { status: "done" } : { status: "moved", sha: standing };
}

/** The commit, or the branch that a try made whose answer was lost, may not have reached every replica yet. */
function notYet(failure: HttpFailure, now: () => number): TransientError | null {
  const stands = /already exists/i.test(failure.reason);
  if (!stands && !lacksObject(failure)) return null;
  const unseen = stands ? "branch" : "commit";
  return new TransientError(`GitHub does not see the ${unseen} yet: ${failure.reason}`, {
    retryAt: now() + ASK_AGAIN_MS,
  });
}

function gone(act: ActOf<"branch">): UserError {
  return new UserError(`The branch ${act.branch} was deleted, so nothing was added to it.`);
}

/** Tells a branch that is gone from a host that has branches but no refs API. */
async function answersForBranch(octokit: Octokit, act: ActOf<"branch">): Promise<boolean> {
  try {
    const { data } = await octokit.rest.repos.getBranch({
      owner: act.repo.owner,
      repo: act.repo.name,
      branch: act.branch,
    });
    // A renamed branch answers under its new name.
    return data.name === act.branch;
  } catch (error) {
    if (failedWith(error, 404)) return false;
    throw error;
  }
}
