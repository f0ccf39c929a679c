import type { Octokit } from "@octokit/rest";
import type { ActOf, ActValues } from "../../core/act.ts";
import { TransientError } from "../../core/errors.ts";
import { collectPages } from "./collect-pages.ts";
import { demand } from "./demand.ts";
import { failedWith } from "./http-failure.ts";

const NAME = "Draftsmith";
const ASK_AGAIN_MS = 3000;

/**
 * Says on a commit how its checks ended (docs.github.com/rest/checks/runs). A first try whose answer was
 * lost is found by the id of its job.
 */
export async function writeCheckRun(
  octokit: Octokit,
  act: ActOf<"check_run">,
  deps: { appId: number; now: () => number },
): Promise<ActValues["check_run"]> {
  const at = { owner: act.repo.owner, repo: act.repo.name };
  try {
    const standing = await collectPages(1, async (page) => {
      const listed = { ...at, ...page, ref: act.sha, check_name: NAME, app_id: deps.appId };
      const { data, headers } = await octokit.rest.checks.listForRef({ ...listed, filter: "all" });
      demand(Array.isArray(data?.check_runs), "list of check runs");
      return { data: data.check_runs, headers };
    });
    const own = standing.find(
      ({ external_id, app }) =>
        external_id === act.jobId && (app?.id === undefined || app.id === deps.appId),
    );
    if (own !== undefined) return { id: own.id };
    const { data } = await octokit.rest.checks.create({
      ...at,
      name: NAME,
      head_sha: act.sha,
      status: "completed",
      conclusion: act.conclusion,
      details_url: act.url,
      external_id: act.jobId,
      output: { title: act.title, summary: act.summary },
    });
    demand(Number.isSafeInteger(data?.id), "check run");
    return { id: data.id };
  } catch (error) {
    if (failedWith(error, 422) && /no commit found/i.test(error.reason)) {
      throw new TransientError(`GitHub does not see the commit yet: ${error.reason}`, {
        retryAt: deps.now() + ASK_AGAIN_MS,
      });
    }
    throw error;
  }
}
