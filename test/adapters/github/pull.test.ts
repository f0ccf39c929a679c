import nock from "nock";
import { describe, expect, it } from "vitest";
import type { ActOf } from "../../../src/core/act.ts";
import { TransientError, UserError } from "../../../src/core/errors.ts";
import { API, mints, NOW, repo, seen, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const act: ActOf<"pull"> = {
  kind: "pull",
  repo,
  head: "codex/5-jwt",
  base: "main",
  title: "Use JWT",
  body: "what and why",
  draft: true,
};
const PULLS = "/repos/acme/shop/pulls";
const URL_9 = "https://github.com/acme/shop/pull/9";

function pull(overrides: object = {}) {
  return {
    number: 9,
    html_url: URL_9,
    state: "open",
    draft: true,
    head: { ref: act.head, repo: { id: 42 } },
    base: { ref: "main" },
    ...overrides,
  };
}

function listed(...pulls: object[]) {
  nock(API)
    .get(PULLS)
    .query({ head: "acme:codex/5-jwt", state: "all", per_page: 100 })
    .reply(200, JSON.stringify(pulls), { "content-type": "application/json" });
}

function opens(reply: object = pull()): unknown[] {
  const bodies: unknown[] = [];
  nock(API)
    .post(PULLS)
    .reply(201, async (request: Request) => {
      bodies.push((await seen(request)).body);
      return reply;
    });
  return bodies;
}

function refuses(message: string, errors: unknown[] = []) {
  nock(API).post(PULLS).reply(422, { message, errors });
}

describe("a pull request", () => {
  it("is opened as a draft with a token that cannot write contents", async () => {
    const asked = mints();
    listed();
    const bodies = opens();
    expect(await setUp().github.perform(act, null)).toEqual({ number: 9, url: URL_9, draft: true });
    expect(bodies).toEqual([
      { head: act.head, base: "main", title: act.title, body: act.body, draft: true },
    ]);
    expect(asked[0]?.body).toEqual({
      repository_ids: [42],
      permissions: { contents: "read", pull_requests: "write", metadata: "read" },
    });
  });

  it("stands once when the answer to the first try was lost", async () => {
    mints();
    const { github } = setUp();
    listed();
    nock(API).post(PULLS).reply(502);
    await expect(github.perform(act, null)).rejects.toThrow(TransientError);
    listed(pull());
    expect(await github.perform(act, null)).toEqual({ number: 9, url: URL_9, draft: true });
  });

  it("is not open by an answer that names none", async () => {
    mints();
    const { github } = setUp();
    listed();
    nock(API).post(PULLS).reply(200, {});
    await expect(github.perform(act, null)).rejects.toThrow(TransientError);
    nock(API).get(PULLS).query(true).reply(200, {});
    await expect(github.perform(act, null)).rejects.toThrow(TransientError);
  });

  it("that a person closed is not opened a second time", async () => {
    mints();
    listed(pull({ state: "closed", draft: false }));
    expect(await setUp().github.perform(act, null)).toMatchObject({ number: 9, draft: false });
  });

  it("that is open goes before one that is closed", async () => {
    mints();
    listed(pull({ number: 12, state: "closed" }), pull());
    expect(await setUp().github.perform(act, null)).toMatchObject({ number: 9 });
  });

  it("of a fork or another branch is not taken for ours", async () => {
    mints();
    listed(
      pull({ number: 3, head: { ref: act.head, repo: { id: 77 } } }),
      pull({ number: 4, head: { ref: "codex/6", repo: { id: 42 } } }),
    );
    opens();
    expect(await setUp().github.perform(act, null)).toMatchObject({ number: 9 });
  });

  it("is no draft where the host has none", async () => {
    mints();
    listed();
    refuses("Draft pull requests are not supported in this repository.");
    const bodies = opens(pull({ draft: false }));
    expect(await setUp().github.perform(act, null)).toEqual({
      number: 9,
      url: URL_9,
      draft: false,
    });
    expect(bodies).toEqual([expect.objectContaining({ draft: false })]);
  });

  it("that another try opened meanwhile is found", async () => {
    mints();
    listed();
    refuses("Validation Failed", [
      {
        resource: "PullRequest",
        code: "custom",
        message: "A pull request already exists for acme:codex/5-jwt.",
      },
    ]);
    listed(pull());
    expect(await setUp().github.perform(act, null)).toMatchObject({ number: 9 });
  });

  it("that stands but is not listed yet is looked for again", async () => {
    mints();
    listed();
    refuses("A pull request already exists for acme:codex/5-jwt.");
    listed();
    const failure = setUp().github.perform(act, null);
    await expect(failure).rejects.toBeInstanceOf(TransientError);
    await expect(failure).rejects.toMatchObject({ retryAt: NOW + 3000 });
  });

  it.each<[string, object, string]>([
    [
      "nothing to propose",
      { code: "custom", message: "No commits between main and codex/5-jwt" },
      "The branch codex/5-jwt adds nothing to main.",
    ],
    [
      "no base",
      { resource: "PullRequest", field: "base", code: "invalid" },
      "The base branch main does not exist (any more).",
    ],
  ])("with %s is refused in plain words", async (_name, error, text) => {
    mints();
    listed();
    refuses("Validation Failed", [error]);
    const failure = setUp().github.perform(act, null);
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(text);
  });

  function refusesHead(status: number) {
    listed();
    refuses("Validation Failed", [{ resource: "PullRequest", field: "head", code: "invalid" }]);
    nock(API)
      .get("/repos/acme/shop/git/ref/heads/codex/5-jwt")
      .reply(status, { ref: "refs/heads/codex/5-jwt", object: { sha: "abc" } });
  }

  it.each([
    ["stands but is not known everywhere", 200],
    ["is not seen anywhere", 404],
  ])("whose branch %s yet is tried again", async (_name, status) => {
    mints();
    refusesHead(status);
    await expect(setUp().github.perform(act, null)).rejects.toThrow(TransientError);
  });

  it("whose branch stays unseen is refused: it was deleted", async () => {
    mints();
    let now = NOW;
    const { github } = setUp({ now: () => now });
    refusesHead(404);
    await expect(github.perform(act, null)).rejects.toMatchObject({ retryAt: NOW + 3000 });
    now += 15_000;
    refusesHead(404);
    const failure = github.perform(act, null);
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(/was deleted before its pull request was opened/);
  });

  it("is not opened when the look for it fails", async () => {
    mints();
    nock(API).get(PULLS).query(true).times(4).reply(500);
    await expect(setUp().github.perform(act, null)).rejects.toThrow(TransientError);
  });

  it("gets a new body and nothing else", async () => {
    mints();
    const bodies: unknown[] = [];
    nock(API)
      .patch(`${PULLS}/9`)
      .reply(200, async (request: Request) => {
        bodies.push((await seen(request)).body);
        return pull();
      });
    await setUp().github.perform({ kind: "pull_body", repo, pull: 9, body: "newer" }, null);
    expect(bodies).toEqual([{ body: "newer" }]);
  });
});
