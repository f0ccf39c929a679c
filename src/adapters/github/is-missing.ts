import type { Octokit } from "@octokit/rest";
import type { RepoRef } from "../../core/job.ts";
import { failedWith, type HttpFailure } from "./http-failure.ts";

/**
 * Whether `failure` means that the host has no such endpoint. A 404 says so only when the repository
 * itself is found: it also stands for a repository that is gone or out of reach.
 */
export async function isMissing(
  octokit: Octokit,
  repo: RepoRef,
  failure: HttpFailure,
): Promise<boolean> {
  if (failedWith(failure, 405, 501)) return true;
  if (!failedWith(failure, 404)) return false;
  try {
    await octokit.rest.repos.get({ owner: repo.owner, repo: repo.name });
    return true;
  } catch (error) {
    if (failedWith(error, 403, 404, 451)) return false;
    throw error;
  }
}
