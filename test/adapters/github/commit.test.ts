import nock from "nock";
import { describe, expect, it } from "vitest";
import type { ActOf } from "../../../src/core/act.ts";
import { TransientError, UserError } from "../../../src/core/errors.ts";
import { API, mints, NOW, repo, seen, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const act: ActOf<"commit"> = {
  kind: "commit",
  repo,
  tree: "4".repeat(40),
  parents: ["5".repeat(40)],
  message: "Use JWT\n\nCo-authored-by: Ada <1+ada@users.noreply.github.com>",
};
const COMMITS = "/repos/acme/shop/git/commits";

function creates(sha: string): unknown[] {
  const bodies: unknown[] = [];
  nock(API)
    .post(COMMITS)
    .reply(201, async (request: Request) => {
      bodies.push((await seen(request)).body);
      return { sha, tree: { sha: act.tree } };
    });
  return bodies;
}

describe("a commit", () => {
  it("names no author and no committer, so that GitHub signs it", async () => {
    mints();
    const bodies = creates("abc");
    expect(await setUp().github.perform(act, null)).toEqual({ sha: "abc" });
    expect(bodies).toEqual([{ message: act.message, tree: act.tree, parents: act.parents }]);
  });

  it("is not made by an answer that names none", async () => {
    mints();
    nock(API).post(COMMITS).reply(200, {});
    await expect(setUp().github.perform(act, null)).rejects.toThrow(TransientError);
  });

  it("whose first answer was lost is created once more", async () => {
    mints();
    const { github } = setUp();
    nock(API).post(COMMITS).reply(502);
    await expect(github.perform(act, null)).rejects.toThrow(TransientError);
    creates("def");
    expect(await github.perform(act, null)).toEqual({ sha: "def" });
  });

  it.each([
    [405, "Method Not Allowed"],
    [409, "Git Repository is empty."],
    [422, "Invalid request. author wasn't supplied."],
    [501, "Not Implemented"],
  ])("is null where the host answers %d %s", async (status, message) => {
    mints();
    nock(API).post(COMMITS).reply(status, { message });
    expect(await setUp().github.perform(act, null)).toBeNull();
  });

  it("is null where the repository answers but has no such endpoint", async () => {
    mints();
    nock(API).post(COMMITS).reply(404, { message: "Not Found" });
    nock(API).get("/repos/acme/shop").reply(200, { id: 42 });
    expect(await setUp().github.perform(act, null)).toBeNull();
  });

  it.each([
    [404, "Not Found"],
    [403, "Repository was archived so is read-only."],
  ])("is refused when the repository is out of reach (%d)", async (status, message) => {
    mints();
    nock(API).post(COMMITS).reply(status, { message });
    if (status === 404) nock(API).get("/repos/acme/shop").reply(404, { message });
    await expect(setUp().github.perform(act, null)).rejects.toThrow(UserError);
  });

  it("waits for a pushed tree to reach every replica, but not forever", async () => {
    let now = NOW;
    mints();
    const { github } = setUp({ now: () => now });
    nock(API).post(COMMITS).times(3).reply(422, { message: "Tree SHA does not exist" });
    await expect(github.perform(act, null)).rejects.toThrow(TransientError);
    now += 30_000;
    await expect(github.perform(act, null)).rejects.toMatchObject({ retryAt: now + 3000 });
    now += 31_000;
    expect(await github.perform(act, null)).toBeNull();
  });
});

describe("what goes by git", () => {
  it("gets a token that may write contents of this repository only", async () => {
    const asked = mints("ghs_push");
    const { github, gitCalls } = setUp();
    await github.perform({ kind: "push", repo, commit: "abc", ref: "refs/draftsmith/1" }, null);
    await github.perform({ kind: "delete_ref", repo, ref: "refs/draftsmith/1" }, null);
    expect(gitCalls).toEqual([
      { call: "pushRef", args: [repo, "abc", "refs/draftsmith/1", "ghs_push"] },
      { call: "deleteRef", args: [repo, "refs/draftsmith/1", "ghs_push"] },
    ]);
    expect(asked.map(({ body }) => body)).toEqual([
      { repository_ids: [42], permissions: { contents: "write", metadata: "read" } },
    ]);
  });
});

describe("a reaction", () => {
  it.each([200, 201])("stands after a %d", async (status) => {
    mints();
    nock(API)
      .post("/repos/acme/shop/issues/comments/5/reactions", { content: "eyes" })
      .reply(status, { id: 1 });
    const act = { kind: "reaction", repo, commentId: 5, content: "eyes" } as const;
    expect(await setUp().github.perform(act, null)).toBeNull();
  });
});
