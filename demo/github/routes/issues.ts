import { z } from "zod";
import { allows } from "../access.ts";
import { created, invalid, notAccessible, notFound, ok, Problem } from "../reply.ts";
import { page, parseBody, type RepositoryCall, type Route, repositoryRoute } from "../router.ts";
import { commentShape, issueShape, listedCommentShape } from "../shapes/issue.ts";
import { userShape } from "../shapes/user.ts";
import {
  type Access,
  botLogin,
  type Comment,
  type Issue,
  type Reaction,
  timestamp,
} from "../state.ts";

/** GitHub's limit for the body of an issue, pull request or comment, in characters. */
export const MAX_BODY = 65_536;

const bodyRequest = z.object({ body: z.string() });
const reactionRequest = z.object({
  content: z.enum(["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]),
});

const READ = ["issues:read", "pull_requests:read"] as const;
const WRITE = ["issues:write", "pull_requests:write"] as const;

/** Issues, their comments (those of pull requests too) and reactions. */
export const issueRoutes: Route[] = [
  repositoryRoute("GET /issues/:number", [...READ], (call) =>
    ok(issueShape(call.state, call.repository, issueOf(call, "read"))),
  ),
  repositoryRoute("GET /issues/:number/comments", [...READ], (call) => {
    const { state, repository, query } = call;
    const { number } = issueOf(call, "read");
    const since = query.get("since") ?? "";
    const comments = [...repository.comments.values()]
      .filter((comment) => comment.issue === number && comment.updatedAt >= since)
      .map((comment) => listedCommentShape(state, repository, comment));
    return page(call, path(call, `/issues/${number}/comments`), comments);
  }),
  repositoryRoute("POST /issues/:number/comments", [...WRITE], (call) => {
    const { state, repository } = call;
    const { number } = unlocked(issueOf(call, "write"));
    const comment: Comment = {
      id: state.nextId(),
      issue: number,
      author: botLogin(state),
      body: checkedBody(call),
      createdAt: timestamp(),
      updatedAt: timestamp(),
    };
    repository.comments.set(comment.id, comment);
    state.changed({ kind: "comment_created", repository, comment });
    return created(commentShape(state, repository, comment));
  }),
  repositoryRoute("GET /issues/comments/:id", [...READ], (call) =>
    ok(commentShape(call.state, call.repository, commentOf(call))),
  ),
  repositoryRoute("PATCH /issues/comments/:id", [...WRITE], (call) => {
    const { state, repository } = call;
    const comment = commentOf(call);
    // An App may not edit what others wrote unless it may also write contents; ours never needs to.
    if (comment.author !== botLogin(state)) throw notAccessible();
    unlocked(repository.issues.get(comment.issue));
    const before = comment.body;
    comment.body = checkedBody(call);
    comment.updatedAt = timestamp();
    state.changed({ kind: "comment_edited", repository, comment, before });
    return ok(commentShape(state, repository, comment));
  }),
  repositoryRoute("DELETE /issues/comments/:id", [...WRITE], (call) => {
    const { state, repository } = call;
    const comment = commentOf(call);
    if (comment.author !== botLogin(state)) throw notAccessible();
    repository.comments.delete(comment.id);
    state.changed({ kind: "comment_deleted", repository, comment, by: botLogin(state) });
    return { status: 204 };
  }),
  repositoryRoute("GET /issues/comments/:id/reactions", [...READ], (call) => {
    const { state, repository } = call;
    const { id } = commentOf(call);
    const reactions = repository.reactions
      .filter((reaction) => reaction.commentId === id)
      .map((reaction) => reactionShape(call, reaction));
    return page({ ...call, state }, path(call, `/issues/comments/${id}/reactions`), reactions);
  }),
  repositoryRoute("POST /issues/comments/:id/reactions", [...WRITE], (call) => {
    const { state, repository } = call;
    const { content } = parseBody(call, reactionRequest);
    const wanted = { commentId: commentOf(call).id, author: botLogin(state), content };
    const known = repository.reactions.find(
      (each) =>
        each.commentId === wanted.commentId &&
        each.author === wanted.author &&
        each.content === content,
    );
    if (known) return ok(reactionShape(call, known));
    const reaction = { id: state.nextId(), createdAt: timestamp(), ...wanted };
    repository.reactions.push(reaction);
    state.changed({ kind: "reaction", repository, reaction });
    return created(reactionShape(call, reaction));
  }),
];

/** The issue named by a call; an issue proper needs `issues`, a pull request also takes `pull_requests`. */
function issueOf(call: RepositoryCall, access: Access): Issue {
  const number = Number(call.params.number);
  const issue = call.repository.issues.get(number);
  if (!issue) throw notFound();
  const { caller } = call;
  const permissions = caller.kind === "installation" ? caller.token.permissions : {};
  const byPull = call.repository.pulls.has(number) && allows(permissions, "pull_requests", access);
  if (!byPull && !allows(permissions, "issues", access)) throw notAccessible();
  return issue;
}

function commentOf({ repository, params }: RepositoryCall): Comment {
  const comment = repository.comments.get(Number(params.id));
  if (!comment) throw notFound();
  return comment;
}

/** Apps are kept from a locked conversation like everybody without write access. */
function unlocked<I extends Issue | undefined>(issue: I): I {
  if (issue?.locked) throw new Problem(403, "Unable to create comment because issue is locked.");
  return issue;
}

function checkedBody(call: RepositoryCall): string {
  const { body } = parseBody(call, bodyRequest);
  if (body.trim() === "") {
    throw invalid({ resource: "IssueComment", code: "missing_field", field: "body" });
  }
  if (body.length > MAX_BODY) {
    const message = `Body is too long (maximum is ${MAX_BODY} characters)`;
    throw invalid({ resource: "IssueComment", code: "unprocessable", field: "data", message });
  }
  return body;
}

function reactionShape({ state }: RepositoryCall, reaction: Reaction) {
  return {
    id: reaction.id,
    node_id: `REA_${reaction.id}`,
    user: userShape(state, reaction.author),
    content: reaction.content,
    created_at: reaction.createdAt,
  };
}

function path({ repository }: RepositoryCall, rest: string): string {
  return `/repos/${repository.owner}/${repository.name}${rest}`;
}
