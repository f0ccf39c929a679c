import type { ApplicationFunction } from "probot";
import { onCommentCreated } from "./handlers/issue-comment.ts";
import type { SubmitDeps } from "./jobs/submit.ts";

/** The Probot application: which webhook events reach which handler. */
export function createApp(deps: SubmitDeps): ApplicationFunction {
  return (app) => {
    app.on("issue_comment.created", (context) => onCommentCreated(context, deps));
  };
}
