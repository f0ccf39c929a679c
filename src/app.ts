import type { ApplicationFunction } from "probot";
import { onCommentCreated, onCommentDeleted } from "./handlers/issue-comment.ts";
import { onPullClosed } from "./handlers/pull-request.ts";
import type { SubmitDeps } from "./jobs/submit.ts";
import type { WithdrawDeps } from "./jobs/withdraw.ts";

/** The Probot application: which webhook events reach which handler. */
export function createApp(deps: SubmitDeps & WithdrawDeps): ApplicationFunction {
  return (app) => {
    app.on("issue_comment.created", (context) => onCommentCreated(context, deps));
    app.on("issue_comment.deleted", (context) => onCommentDeleted(context, deps));
    app.on("pull_request.closed", (context) => onPullClosed(context, deps));
  };
}
