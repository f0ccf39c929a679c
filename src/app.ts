import type { ApplicationFunction } from "probot";
import { onAssigned, onLabeled } from "./handlers/issues.ts";
import { onPullClosed } from "./handlers/pull-request.ts";
import {
  commentRequest,
  newIssueRequest,
  newPullRequest,
  reviewCommentRequest,
} from "./handlers/requests.ts";
import { onDeleted, onReview, onWritten } from "./handlers/written.ts";
import type { SubmitDeps } from "./jobs/submit.ts";
import type { WithdrawDeps } from "./jobs/withdraw.ts";

/** The Probot application: which webhook events reach which handler. */
export function createApp(deps: SubmitDeps & WithdrawDeps): ApplicationFunction {
  return (app) => {
    app.on("issue_comment.created", (event) => onWritten(event, commentRequest, deps));
    app.on("issue_comment.deleted", (event) => onDeleted(event, deps));
    app.on("pull_request_review_comment.created", (event) =>
      onWritten(event, reviewCommentRequest, deps),
    );
    app.on("pull_request_review_comment.deleted", (event) => onDeleted(event, deps));
    app.on("pull_request_review.submitted", (event) => onReview(event, deps));
    app.on("issues.opened", (event) => onWritten(event, newIssueRequest, deps));
    app.on("pull_request.opened", (event) => onWritten(event, newPullRequest, deps));
    app.on("issues.labeled", (event) => onLabeled(event, deps));
    app.on("issues.assigned", (event) => onAssigned(event, deps));
    app.on("pull_request.closed", (event) => onPullClosed(event, deps));
  };
}
