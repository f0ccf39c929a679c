import type { Octokit } from "@octokit/rest";
import type { ActOf } from "../../core/act.ts";
import { graphql } from "./graphql.ts";

/**
 * Marks a draft as ready for review, which only GraphQL can
 * (docs.github.com/graphql/reference/mutations#markpullrequestreadyforreview); what is ready stays so.
 */
export async function markReady(octokit: Octokit, { repo, pull }: ActOf<"ready">): Promise<void> {
  const at = { owner: repo.owner, repo: repo.name, pull_number: pull };
  const { data } = await octokit.rest.pulls.get(at);
  if (!data.draft) return;
  const mutation =
    "mutation($pull: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $pull}) { pullRequest { id } } }";
  await graphql(octokit, mutation, { pull: data.node_id });
}
