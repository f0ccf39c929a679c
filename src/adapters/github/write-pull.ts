import type { Octokit } from "@octokit/rest";
import type { ActOf, ActValues } from "../../core/act.ts";
import { TransientError, UserError } from "../../core/errors.ts";
import { demand } from "./demand.ts";
import { failedWith } from "./http-failure.ts";
import { readBranch } from "./read-branch.ts";

const ASK_AGAIN_MS = 3000;
/** How long a branch that was just made may be unseen before it counts as deleted. */
const REPLICATION_MS = 15_000;

/**
 * Opens the pull request of a branch, or gives the one it has: also one that a person closed or
 * pointed at another base, since a branch of ours has one pull request in its life.
 */
export function createPullWriter(now: () => number) {
  const unseenSince = new Map<string, number>();

  return async (octokit: Octokit, act: ActOf<"pull">): Promise<ActValues["pull"]> => {
    const key = `${act.repo.id} ${act.head}`;
    try {
      const pull = await writePull(octokit, act, now);
      unseenSince.delete(key);
      return pull;
    } catch (error) {
      if (!(error instanceof BranchGone)) throw error;
      const since = unseenSince.get(key) ?? now();
      unseenSince.set(key, since);
      if (now() - since < REPLICATION_MS) throw notYet(act, now);
      unseenSince.delete(key);
      throw error;
    }
  };
}

/** No branch is seen for the pull request. */
class BranchGone extends UserError {
  override name = "BranchGone";
}

async function writePull(
  octokit: Octokit,
  act: ActOf<"pull">,
  now: () => number,
): Promise<ActValues["pull"]> {
  const standing = await findPull(octokit, act);
  if (standing !== null) return standing;
  try {
    return await openPull(octokit, act, act.draft);
  } catch (error) {
    if (!failedWith(error, 422)) throw error;
    if (/already exists/i.test(error.reason)) {
      const found = await findPull(octokit, act);
      if (found !== null) return found;
      // Lists lag behind: the one that stands is ours, from a try whose answer was lost.
      throw new TransientError(`GitHub does not list the pull request of ${act.head} yet`, {
        retryAt: now() + ASK_AGAIN_MS,
      });
    }
    if (act.draft && /draft pull requests? (is|are) not supported/i.test(error.reason)) {
      return openPull(octokit, act, false);
    }
    if (/no commits between/i.test(error.reason)) {
      throw new UserError(`The branch ${act.head} adds nothing to ${act.base}.`, { cause: error });
    }
    if (/\bbase invalid\b/i.test(error.reason)) {
      throw new UserError(`The base branch ${act.base} does not exist (any more).`, {
        cause: error,
      });
    }
    if (/\bhead invalid\b/i.test(error.reason)) throw await headProblem(octokit, act, now);
    throw error;
  }
}

async function openPull(octokit: Octokit, act: ActOf<"pull">, draft: boolean) {
  const { data } = await octokit.rest.pulls.create({
    owner: act.repo.owner,
    repo: act.repo.name,
    head: act.head,
    base: act.base,
    title: act.title,
    body: act.body,
    draft,
  });
  demand(Number.isSafeInteger(data?.number), "pull request");
  return { number: data.number, url: data.html_url, draft: data.draft ?? draft };
}

async function findPull(octokit: Octokit, act: ActOf<"pull">): Promise<ActValues["pull"] | null> {
  const { data } = await octokit.rest.pulls.list({
    owner: act.repo.owner,
    repo: act.repo.name,
    head: `${act.repo.owner}:${act.head}`,
    state: "all",
    per_page: 100,
  });
  demand(Array.isArray(data), "list of pull requests");
  // The filter is GitHub's word; a fork may have a branch of the same name.
  const own = data.filter(
    ({ head }) => head.ref === act.head && (head.repo?.id ?? act.repo.id) === act.repo.id,
  );
  const found = own.find(({ state }) => state === "open") ?? own[0];
  if (found === undefined) return null;
  return { number: found.number, url: found.html_url, draft: found.draft ?? false };
}

/** A branch that stands and is still refused was created a moment ago and is not known everywhere. */
async function headProblem(octokit: Octokit, act: ActOf<"pull">, now: () => number) {
  const sha = await readBranch(octokit, act.repo, act.head);
  return sha === null
    ? new BranchGone(`The branch ${act.head} was deleted before its pull request was opened.`)
    : notYet(act, now);
}

function notYet(act: ActOf<"pull">, now: () => number): TransientError {
  return new TransientError(`GitHub does not see the branch ${act.head} yet`, {
    retryAt: now() + ASK_AGAIN_MS,
  });
}
