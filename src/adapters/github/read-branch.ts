import type { Octokit } from "@octokit/rest";
import type { RepoRef } from "../../core/job.ts";
import { failedWith } from "./http-failure.ts";

/** Commit a branch points at; null when there is no such branch, or no commit at all yet. */
export async function readBranch(
  octokit: Octokit,
  repo: RepoRef,
  branch: string,
): Promise<string | null> {
  try {
    const { data } = await octokit.rest.git.getRef({
      owner: repo.owner,
      repo: repo.name,
      ref: `heads/${branch}`,
    });
    // Older hosts answer a name that is only the beginning of others with those others.
    const refs = Array.isArray(data) ? data : [data];
    return refs.find(({ ref }) => ref === `refs/heads/${branch}`)?.object.sha ?? null;
  } catch (error) {
    // 409: "Git Repository is empty."
    if (failedWith(error, 404, 409)) return null;
    throw error;
  }
}
