import type { Octokit } from "@octokit/rest";
import type { ActOf, ActValues } from "../../core/act.ts";
import { TransientError } from "../../core/errors.ts";
import { demand } from "./demand.ts";
import { failedWith, HttpFailure, lacksObject } from "./http-failure.ts";
import { isMissing } from "./is-missing.ts";

/** How long a host may take to see what was pushed to it, and how often it is asked meanwhile. */
const REPLICATION_MS = 60_000;
const ASK_AGAIN_MS = 3000;

/**
 * Creates the commit through the Git data API. Author and committer are left out: only then does
 * GitHub fill in the App and sign the commit. A lost answer leaves an unreachable commit behind, which
 * harms no one, so nothing is looked for first. null means that this host cannot do it:
 *
 *  - 405, 501, and 404 while the repository itself answers: there is no such endpoint;
 *  - 409: the host has no Git database for the repository, though it was just pushed to;
 *  - 422: it wants what we leave out, or cannot read what we give;
 *  - 422 "Tree SHA does not exist", "Parent SHA does not exist": the push has not reached every
 *    replica yet, so it is asked again (TransientError), for a minute; then it never will see it.
 */
export function createCommitWriter(now: () => number) {
  const waitingSince = new Map<string, number>();

  return async (octokit: Octokit, act: ActOf<"commit">): Promise<ActValues["commit"]> => {
    const key = `${act.repo.id} ${act.tree} ${act.parents.join(" ")}`;
    try {
      const { data } = await octokit.rest.git.createCommit({
        owner: act.repo.owner,
        repo: act.repo.name,
        message: act.message,
        tree: act.tree,
        parents: act.parents,
      });
      demand(typeof data?.sha === "string" && data.sha !== "", "commit");
      waitingSince.delete(key);
      return { sha: data.sha };
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (lacksObject(error)) {
        const since = waitingSince.get(key) ?? now();
        if (now() - since < REPLICATION_MS) {
          waitingSince.set(key, since);
          throw new TransientError(`GitHub does not see what was pushed yet: ${error.reason}`, {
            retryAt: now() + ASK_AGAIN_MS,
          });
        }
        waitingSince.delete(key);
        return null;
      }
      if (failedWith(error, 409, 422) || (await isMissing(octokit, act.repo, error))) return null;
      throw error;
    }
  };
}
