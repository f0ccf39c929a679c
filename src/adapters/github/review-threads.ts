import type { Octokit } from "@octokit/rest";
import { z } from "zod";
import type { RepoRef } from "../../core/job.ts";
import type { ReviewThread } from "../../core/review-thread.ts";
import { collectPages } from "./collect-pages.ts";
import { graphql } from "./graphql.ts";
import { HttpFailure } from "./http-failure.ts";

/** Pages of 50 threads; of each thread the first 100 comments. */
const MAX_PAGES = 10;

const QUERY = `query($owner: String!, $name: String!, $pull: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $pull) {
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved path line originalLine startLine diffSide
          comments(first: 100) {
            nodes {
              fullDatabaseId body createdAt updatedAt diffHunk
              originalCommit { oid }
              author { __typename login ... on User { databaseId } ... on Bot { databaseId } }
              pullRequestReview { fullDatabaseId }
            }
          }
        }
      }
    }
  }
}`;

const id = z.coerce.number().pipe(z.int().positive());
const line = z.number().nullish();

const answer = z.object({
  repository: z.object({
    pullRequest: z.object({
      reviewThreads: z.object({
        pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
        nodes: z.array(
          z.object({
            id: z.string(),
            isResolved: z.boolean(),
            path: z.string(),
            line,
            originalLine: line,
            startLine: line,
            diffSide: z.enum(["LEFT", "RIGHT"]).nullish(),
            comments: z.object({
              nodes: z.array(
                z.object({
                  fullDatabaseId: id,
                  body: z.string(),
                  createdAt: z.string(),
                  updatedAt: z.string(),
                  diffHunk: z.string().default(""),
                  originalCommit: z.object({ oid: z.string() }).nullish(),
                  author: z
                    .object({
                      __typename: z.string(),
                      login: z.string(),
                      databaseId: z.number().nullish(),
                    })
                    .nullable(),
                  pullRequestReview: z.object({ fullDatabaseId: id }).nullish(),
                }),
              ),
            }),
          }),
        ),
      }),
    }),
  }),
});

type Node = z.infer<typeof answer>["repository"]["pullRequest"]["reviewThreads"]["nodes"][number];

/**
 * The threads of a pull request, by GraphQL (docs.github.com/graphql/reference/objects#pullrequestreviewthread): REST
 * tells of none whether it is resolved. A host without that gives them by REST, each as open.
 */
export async function readThreads(
  octokit: Octokit,
  repo: RepoRef,
  pull: number,
): Promise<ReviewThread[]> {
  const threads: ReviewThread[] = [];
  let after: string | null = null;
  try {
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const variables = { owner: repo.owner, name: repo.name, pull, after };
      const read = answer.parse(await graphql(octokit, QUERY, variables));
      const { nodes, pageInfo } = read.repository.pullRequest.reviewThreads;
      threads.push(...nodes.flatMap(threadOf));
      after = pageInfo.endCursor;
      if (!pageInfo.hasNextPage || after === null) break;
    }
    return threads;
  } catch (error) {
    if (!(error instanceof HttpFailure || error instanceof z.ZodError)) throw error;
    return byRest(octokit, repo, pull);
  }
}

function threadOf({ id: node, isResolved, path, comments, ...at }: Node): ReviewThread[] {
  const [first] = comments.nodes;
  if (first === undefined) return [];
  return [
    {
      id: first.fullDatabaseId,
      node,
      resolved: isResolved,
      spot: {
        path,
        line: at.line ?? at.originalLine ?? null,
        startLine: at.startLine ?? null,
        side: at.diffSide ?? "RIGHT",
        hunk: first.diffHunk,
        commit: first.originalCommit?.oid ?? "",
      },
      remarks: comments.nodes.map((each) => ({
        kind: "review",
        id: each.fullDatabaseId,
        author: each.author && accountOf(each.author),
        place: path,
        body: each.body,
        createdAt: each.createdAt,
        updatedAt: each.updatedAt,
        review: each.pullRequestReview?.fullDatabaseId ?? null,
      })),
    },
  ];
}

/** GraphQL leaves `[bot]` off the login of an App, which REST and webhooks write. */
function accountOf({
  __typename: type,
  login,
  databaseId,
}: NonNullable<Node["comments"]["nodes"][number]["author"]>) {
  return { id: databaseId ?? 0, login: type === "Bot" ? `${login}[bot]` : login, type };
}

async function byRest(octokit: Octokit, repo: RepoRef, pull: number): Promise<ReviewThread[]> {
  const comments = await collectPages(1, (page) =>
    octokit.rest.pulls.listReviewComments({
      owner: repo.owner,
      repo: repo.name,
      pull_number: pull,
      ...page,
    }),
  );
  const byThread = Map.groupBy(comments, (each) => each.in_reply_to_id ?? each.id);
  return [...byThread].flatMap(([thread, said]) => {
    const [first] = said;
    if (first === undefined) return [];
    return [
      {
        id: thread,
        node: null,
        resolved: false,
        spot: {
          path: first.path,
          line: first.line ?? first.original_line ?? null,
          startLine: first.start_line ?? null,
          side: first.side ?? "RIGHT",
          hunk: first.diff_hunk,
          commit: first.original_commit_id,
        },
        remarks: said.map((each) => ({
          kind: "review" as const,
          id: each.id,
          author: each.user && {
            id: each.user.id,
            login: each.user.login,
            type: each.user.type,
          },
          place: each.path,
          body: each.body,
          createdAt: each.created_at,
          updatedAt: each.updated_at,
          review: each.pull_request_review_id,
        })),
      },
    ];
  });
}

/** Marks a thread as resolved; one that is resolved stays so (docs.github.com/graphql/reference/mutations#resolvereviewthread). */
export async function resolveThread(octokit: Octokit, thread: string): Promise<void> {
  const mutation =
    "mutation($thread: ID!) { resolveReviewThread(input: {threadId: $thread}) { thread { id } } }";
  await graphql(octokit, mutation, { thread });
}
