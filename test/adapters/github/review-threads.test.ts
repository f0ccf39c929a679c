import nock from "nock";
import { describe, expect, it } from "vitest";
import { API, mints, repo, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const at = "2026-03-01T10:00:00Z";

function comment(id: number, login: string, type = "User") {
  return {
    ...{ fullDatabaseId: String(id), body: `comment ${id}`, createdAt: at, updatedAt: at },
    ...{ diffHunk: "@@ -1 +1 @@", originalCommit: { oid: "a".repeat(40) } },
    author: { __typename: type, login, databaseId: 5 },
    pullRequestReview: { fullDatabaseId: "77" },
  };
}

function thread(id: string, comments: object[], more: object = {}) {
  return {
    ...{ id, isResolved: false, path: "src/a.ts", line: 7, originalLine: 6, startLine: null },
    ...{ diffSide: "RIGHT", comments: { nodes: comments }, ...more },
  };
}

const page = (nodes: object[], next: string | null = null) => ({
  data: {
    repository: {
      pullRequest: {
        reviewThreads: { pageInfo: { hasNextPage: next !== null, endCursor: next }, nodes },
      },
    },
  },
});

const answers = (body: object) => nock(API).post("/graphql").reply(200, body);
const read = () => setUp().github.threads(repo, 5);

describe("the threads of a pull request", () => {
  it("are read page by page, with ids beyond 32 bits and Apps by their whole login", async () => {
    mints();
    answers(page([thread("PRRT_1", [comment(5_000_000_001, "ada")])], "next"));
    answers(page([thread("PRRT_2", [comment(2, "draftsmith", "Bot")], { isResolved: true })]));
    const found = await read();
    expect(found.map(({ id, node, resolved }) => [id, node, resolved])).toEqual([
      [5_000_000_001, "PRRT_1", false],
      [2, "PRRT_2", true],
    ]);
    expect(found[0]?.spot).toEqual({
      ...{ path: "src/a.ts", line: 7, startLine: null, side: "RIGHT" },
      ...{ hunk: "@@ -1 +1 @@", commit: "a".repeat(40) },
    });
    expect(found[1]?.remarks).toMatchObject([
      { author: { login: "draftsmith[bot]", type: "Bot" }, review: 77 },
    ]);
  });

  it("come by REST, as open, from a host whose GraphQL does not know the question", async () => {
    mints();
    answers({ errors: [{ type: "undefinedField", message: "no fullDatabaseId" }] });
    const user = { id: 5, login: "ada", type: "User" };
    const said = { user, body: "x", created_at: at, updated_at: at, path: "a.ts", line: 3 };
    const more = { diff_hunk: "@@", original_commit_id: "b", pull_request_review_id: 77 };
    nock(API)
      .get("/repos/acme/shop/pulls/5/comments?page=1&per_page=100")
      .reply(200, [
        { ...said, ...more, id: 1 },
        { ...said, ...more, id: 2, in_reply_to_id: 1 },
      ]);
    const found = await read();
    expect(found).toMatchObject([{ id: 1, node: null, resolved: false, spot: { line: 3 } }]);
    expect(found[0]?.remarks.map(({ id }) => id)).toEqual([1, 2]);
  });

  it("are asked for again when GitHub says so with a 200", async () => {
    mints();
    answers({ errors: [{ type: "RATE_LIMITED", message: "API rate limit exceeded" }] });
    await expect(read()).rejects.toMatchObject({ name: "TransientError" });
  });
});
