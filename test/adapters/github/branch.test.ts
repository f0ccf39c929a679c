import nock from "nock";
import { describe, expect, it } from "vitest";
import type { ActOf } from "../../../src/core/act.ts";
import { TransientError, UserError } from "../../../src/core/errors.ts";
import { API, mints, repo, seen, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const NEW = "1".repeat(40);
const OLD = "2".repeat(40);
const OTHER = "3".repeat(40);
const created: ActOf<"branch"> = {
  kind: "branch",
  repo,
  branch: "codex/5-jwt",
  sha: NEW,
  from: null,
};
const moved: ActOf<"branch"> = { ...created, from: OLD };
const REF = "/repos/acme/shop/git/ref/heads/codex/5-jwt";
const REFS = "/repos/acme/shop/git/refs";
const UPDATE = "/repos/acme/shop/git/refs/heads/codex/5-jwt";

function standsAt(sha: string | null) {
  const reply = nock(API).get(REF);
  if (sha === null) reply.reply(404, { message: "Not Found" });
  else reply.reply(200, { ref: "refs/heads/codex/5-jwt", object: { type: "commit", sha } });
}

describe("a new branch", () => {
  it("is created with a token for contents only", async () => {
    const asked = mints();
    const bodies: unknown[] = [];
    nock(API)
      .post(REFS)
      .reply(201, async (request: Request) => {
        bodies.push((await seen(request)).body);
        return { ref: "refs/heads/codex/5-jwt" };
      });
    expect(await setUp().github.perform(created, null)).toEqual({ status: "done" });
    expect(bodies).toEqual([{ ref: "refs/heads/codex/5-jwt", sha: NEW }]);
    expect(asked[0]?.body).toEqual({
      repository_ids: [42],
      permissions: { contents: "write", metadata: "read" },
    });
  });

  it("whose first answer was lost is found", async () => {
    mints();
    const { github } = setUp();
    nock(API).post(REFS).reply(502);
    await expect(github.perform(created, null)).rejects.toThrow(TransientError);
    nock(API).post(REFS).reply(422, { message: "Reference already exists" });
    standsAt(NEW);
    expect(await github.perform(created, null)).toEqual({ status: "done" });
  });

  it("that stands but is not seen yet is looked for again", async () => {
    mints();
    nock(API).post(REFS).reply(422, { message: "Reference already exists" });
    standsAt(null);
    await expect(setUp().github.perform(created, null)).rejects.toThrow(TransientError);
  });

  it("that exists elsewhere is left there", async () => {
    mints();
    nock(API).post(REFS).reply(422, { message: "Reference already exists" });
    standsAt(OTHER);
    expect(await setUp().github.perform(created, null)).toEqual({ status: "moved", sha: OTHER });
  });

  it("waits for a commit that is not everywhere yet", async () => {
    mints();
    nock(API).post(REFS).reply(422, { message: "Object does not exist" });
    standsAt(null);
    await expect(setUp().github.perform(created, null)).rejects.toThrow(TransientError);
  });

  it("that a rule forbids is refused with GitHub's words", async () => {
    mints();
    nock(API).post(REFS).reply(422, { message: "Repository rule violations found" });
    standsAt(null);
    const failure = setUp().github.perform(created, null);
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(/write the branch codex\/5-jwt .*rule violations/);
  });

  it.each([404, 405, 501])("goes by git where the host answers %d", async (status) => {
    mints();
    nock(API).post(REFS).reply(status, { message: "no" });
    if (status === 404) nock(API).get("/repos/acme/shop").reply(200, { id: 42 });
    const { github, gitCalls } = setUp();
    expect(await github.perform(created, null)).toEqual({ status: "done" });
    expect(gitCalls).toEqual([
      { call: "pushBranch", args: [repo, NEW, "codex/5-jwt", null, "ghs_first"] },
    ]);
  });

  it("in a repository that is gone is refused, not pushed", async () => {
    mints();
    nock(API).post(REFS).reply(404, { message: "Not Found" });
    nock(API).get("/repos/acme/shop").reply(404, { message: "Not Found" });
    const { github, gitCalls } = setUp();
    await expect(github.perform(created, null)).rejects.toThrow(UserError);
    expect(gitCalls).toEqual([]);
  });
});

describe("a branch that is moved on", () => {
  it("is fast-forwarded, never forced", async () => {
    mints();
    standsAt(OLD);
    const bodies: unknown[] = [];
    nock(API)
      .patch(UPDATE)
      .reply(200, async (request: Request) => {
        bodies.push((await seen(request)).body);
        return {};
      });
    expect(await setUp().github.perform(moved, null)).toEqual({ status: "done" });
    expect(bodies).toEqual([{ sha: NEW, force: false }]);
  });

  it("and stands there already is not written again", async () => {
    mints();
    standsAt(NEW);
    expect(await setUp().github.perform(moved, null)).toEqual({ status: "done" });
  });

  it("by a person meanwhile is left alone", async () => {
    mints();
    standsAt(OTHER);
    expect(await setUp().github.perform(moved, null)).toEqual({ status: "moved", sha: OTHER });
  });

  it("by a person between look and write is left alone", async () => {
    mints();
    standsAt(OLD);
    nock(API).patch(UPDATE).reply(422, { message: "Update is not a fast forward" });
    standsAt(OTHER);
    expect(await setUp().github.perform(moved, null)).toEqual({ status: "moved", sha: OTHER });
  });

  it("whose first answer was lost is found", async () => {
    mints();
    const { github } = setUp();
    standsAt(OLD);
    nock(API).patch(UPDATE).reply(502);
    await expect(github.perform(moved, null)).rejects.toThrow(TransientError);
    standsAt(NEW);
    expect(await github.perform(moved, null)).toEqual({ status: "done" });
  });

  it("that was deleted is not created again", async () => {
    mints();
    standsAt(null);
    nock(API).get("/repos/acme/shop/branches/codex/5-jwt").reply(404, { message: "Not Found" });
    const { github, gitCalls } = setUp();
    const failure = github.perform(moved, null);
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow("The branch codex/5-jwt was deleted");
    expect(gitCalls).toEqual([]);
  });

  it("goes by git, from where it stood, on a host without a refs API", async () => {
    mints();
    standsAt(null);
    nock(API)
      .get("/repos/acme/shop/branches/codex/5-jwt")
      .reply(200, { name: "codex/5-jwt", commit: { sha: OLD } });
    const { github, gitCalls } = setUp();
    expect(await github.perform(moved, null)).toEqual({ status: "done" });
    expect(gitCalls).toEqual([
      { call: "pushBranch", args: [repo, NEW, "codex/5-jwt", OLD, "ghs_first"] },
    ]);
  });
});
