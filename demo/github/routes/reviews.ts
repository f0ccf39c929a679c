import { z } from "zod";
import { allows } from "../access.ts";
import { created, notAccessible, notFound, ok } from "../reply.ts";
import {
  type Call,
  parseBody,
  type RepositoryCall,
  type Route,
  repositoryRoute,
  route,
} from "../router.ts";
import { reviewCommentShape } from "../shapes/issue.ts";
import {
  botLogin,
  type Repository,
  type ReviewComment,
  type State,
  timestamp,
  userOf,
} from "../state.ts";

const bodyRequest = z.object({ body: z.string() });
const reactionRequest = z.object({ content: z.string() });
const query = z.object({ query: z.string(), variables: z.record(z.string(), z.unknown()) });

const WRITE = ["pull_requests:write"] as const;

/** Comments on lines of pull requests, and what GraphQL alone tells of their threads. */
export const reviewRoutes: Route[] = [
  repositoryRoute("POST /pulls/:number/comments/:id/replies", [...WRITE], (call) => {
    const { state, repository, params } = call;
    const first = commentOf(call);
    if (first.issue !== Number(params.number)) throw notFound();
    const comment: ReviewComment = {
      ...{ id: state.nextId(), issue: first.issue, author: botLogin(state) },
      ...{ body: parseBody(call, bodyRequest).body, path: first.path, line: first.line },
      ...{ createdAt: timestamp(), updatedAt: timestamp(), replyTo: first.replyTo ?? first.id },
    };
    repository.reviewComments.set(comment.id, comment);
    state.changed({ kind: "review_comment", repository, comment });
    return created(reviewCommentShape(state, repository, comment));
  }),
  repositoryRoute("PATCH /pulls/comments/:id", [...WRITE], (call) => {
    const comment = ownComment(call);
    comment.body = parseBody(call, bodyRequest).body;
    comment.updatedAt = timestamp();
    return ok(reviewCommentShape(call.state, call.repository, comment));
  }),
  repositoryRoute("DELETE /pulls/comments/:id", [...WRITE], (call) => {
    call.repository.reviewComments.delete(ownComment(call).id);
    return { status: 204 };
  }),
  repositoryRoute("POST /pulls/comments/:id/reactions", [...WRITE], (call) => {
    const { state, repository } = call;
    const { content } = parseBody(call, reactionRequest);
    const { id: commentId } = commentOf(call);
    const reaction = { id: state.nextId(), commentId, author: botLogin(state), content };
    repository.reactions.push({ ...reaction, createdAt: timestamp() });
    return created(reaction);
  }),
  route("installation", "POST /graphql", (call) => {
    const { query: text, variables } = parseBody(call, query);
    const { caller, state } = call;
    if (caller.kind !== "installation") throw notAccessible();
    const repositories = state.repositories.filter(({ id }) =>
      caller.token.repositoryIds.includes(id),
    );
    if (text.includes("markPullRequestReadyForReview")) {
      const node = String(variables.pull);
      const pull = repositories
        .flatMap(({ pulls }) => [...pulls.values()])
        .find(({ id }) => `PR_${id}` === node);
      if (!pull) return ok(failure("NOT_FOUND", "Could not resolve to a node"));
      pull.draft = false;
      return ok({ data: { markPullRequestReadyForReview: { pullRequest: { id: node } } } });
    }
    if (text.includes("resolveReviewThread")) {
      return ok(resolved(call, repositories, String(variables.thread)));
    }
    const repository = repositories.find(
      ({ owner, name }) => owner === variables.owner && name === variables.name,
    );
    if (!repository) return ok(failure("NOT_FOUND", "Could not resolve to a Repository"));
    const nodes = threadsOf(state, repository, Number(variables.pull));
    const pageInfo = { hasNextPage: false, endCursor: null };
    return ok({ data: { repository: { pullRequest: { reviewThreads: { pageInfo, nodes } } } } });
  }),
];

function resolved({ caller }: Call, repositories: Repository[], node: string): object {
  const mayWrite =
    caller.kind === "installation" && allows(caller.token.permissions, "contents", "write");
  if (!mayWrite) return failure("FORBIDDEN", "Resource not accessible by integration");
  for (const { reviewComments } of repositories) {
    const first = [...reviewComments.values()].find((each) => nodeOf(each) === node);
    if (!first) continue;
    first.resolved = true;
    return { data: { resolveReviewThread: { thread: { id: node } } } };
  }
  return failure("NOT_FOUND", "Could not resolve to a node");
}

/** GraphQL answers 200 whatever goes wrong. */
function failure(type: string, message: string): object {
  return { data: null, errors: [{ type, message }] };
}

function threadsOf(state: State, { reviewComments }: Repository, pull: number): object[] {
  const all = [...reviewComments.values()].filter(({ issue }) => issue === pull);
  return all
    .filter(({ replyTo }) => replyTo === undefined)
    .map((first) => ({
      ...{ id: nodeOf(first), isResolved: first.resolved === true, path: first.path },
      ...{ line: first.line, originalLine: first.line, startLine: null, diffSide: "RIGHT" },
      comments: {
        nodes: all
          .filter(({ id, replyTo }) => id === first.id || replyTo === first.id)
          .map((each) => commentNode(state, each)),
      },
    }));
}

function commentNode(state: State, comment: ReviewComment): object {
  const { id, login, type } = userOf(state, comment.author);
  return {
    fullDatabaseId: String(comment.id),
    ...{ body: comment.body, createdAt: comment.createdAt, updatedAt: comment.updatedAt },
    diffHunk: "@@ -1 +1 @@",
    originalCommit: { oid: "0".repeat(40) },
    // GraphQL leaves off what marks the login of an App.
    author: { __typename: type, login: login.replace(/\[bot\]$/, ""), databaseId: id },
    pullRequestReview:
      comment.review === undefined ? null : { fullDatabaseId: String(comment.review) },
  };
}

function nodeOf({ id }: ReviewComment): string {
  return `PRRT_${id}`;
}

function commentOf({ repository, params }: RepositoryCall): ReviewComment {
  const comment = repository.reviewComments.get(Number(params.id));
  if (!comment) throw notFound();
  return comment;
}

function ownComment(call: RepositoryCall): ReviewComment {
  const comment = commentOf(call);
  if (comment.author !== botLogin(call.state)) throw notAccessible();
  return comment;
}
