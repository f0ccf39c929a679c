import type { Octokit } from "@octokit/rest";
import type { ActOf } from "../../core/act.ts";

/**
 * Leaves a reaction (docs.github.com/rest/reactions/reactions): GitHub answers 200 instead of 201 when it stands
 * already.
 */
export async function react(octokit: Octokit, act: ActOf<"reaction">): Promise<void> {
  const at = { owner: act.repo.owner, repo: act.repo.name, content: act.content };
  const { reactions } = octokit.rest;
  switch (act.on) {
    case "review_comment":
      await reactions.createForPullRequestReviewComment({ ...at, comment_id: act.commentId });
      return;
    case "issue":
      await reactions.createForIssue({ ...at, issue_number: act.commentId });
      return;
    default:
      await reactions.createForIssueComment({ ...at, comment_id: act.commentId });
  }
}
