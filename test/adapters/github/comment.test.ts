import nock from "nock";
import { describe, expect, it } from "vitest";
import type { ActOf } from "../../../src/core/act.ts";
import { TransientError, UserError } from "../../../src/core/errors.ts";
import { API, mints, repo, seen, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const marker = "<!-- draftsmith:board:1 -->";
const act: ActOf<"comment"> = {
  kind: "comment",
  repo,
  issue: 5,
  marker,
  body: `board, newer\n${marker}`,
  since: "2026-02-28T10:00:00Z",
};
const LIST = "/repos/acme/shop/issues/5/comments";
const bot = { login: "draftsmith[bot]", type: "Bot" };

function listed(comments: unknown[], page = 1, headers: Record<string, string> = {}) {
  nock(API)
    .get(LIST)
    .query({ since: act.since, page, per_page: 100 })
    .reply(200, JSON.stringify(comments), { "content-type": "application/json", ...headers });
}

function takes(method: "POST" | "PATCH", path: string, reply: object): unknown[] {
  const bodies: unknown[] = [];
  nock(API)
    .intercept(path, method)
    .reply(method === "POST" ? 201 : 200, async (request: Request) => {
      bodies.push((await seen(request)).body);
      return reply;
    });
  return bodies;
}

describe("a comment", () => {
  it("is created when none of ours stands, with a token for conversations only", async () => {
    const asked = mints();
    listed([]);
    const bodies = takes("POST", LIST, { id: 11 });
    expect(await setUp().github.perform(act, null)).toEqual({ id: 11 });
    expect(bodies).toEqual([{ body: act.body }]);
    expect(asked[0]?.body).toEqual({
      repository_ids: [42],
      permissions: { issues: "write", pull_requests: "write", metadata: "read" },
    });
  });

  it("that is known is edited without looking around", async () => {
    mints();
    const bodies = takes("PATCH", "/repos/acme/shop/issues/comments/11", { id: 11 });
    expect(await setUp().github.perform(act, { id: 11 })).toEqual({ id: 11 });
    expect(bodies).toEqual([{ body: act.body }]);
  });

  it("stands once when the answer to the first try was lost", async () => {
    mints();
    const { github } = setUp();
    const standing: { id: number; body: string; user: object; performed_via_github_app: object }[] =
      [];
    nock(API)
      .get(LIST)
      .query(true)
      .twice()
      .reply(200, () => standing);
    nock(API)
      .post(LIST)
      .reply(502, async (request: Request) => {
        const { body } = (await request.json()) as { body: string };
        standing.push({ id: 12, body, user: bot, performed_via_github_app: { id: 99 } });
        return { message: "Server Error" };
      });
    nock(API).get("/app").reply(200, { slug: "draftsmith" });
    await expect(github.perform(act, null)).rejects.toThrow(TransientError);
    expect(await github.perform(act, null)).toEqual({ id: 12 });
    expect(standing).toHaveLength(1);
  });

  it("found with an older text is brought up to date", async () => {
    mints();
    listed([{ id: 12, body: `board, older\n${marker}`, user: bot }]);
    nock(API).get("/app").reply(200, { slug: "draftsmith" });
    const bodies = takes("PATCH", "/repos/acme/shop/issues/comments/12", { id: 12 });
    expect(await setUp().github.perform(act, null)).toEqual({ id: 12 });
    expect(bodies).toEqual([{ body: act.body }]);
  });

  it("of someone else with our marker is left alone", async () => {
    mints();
    listed([
      { id: 1, body: marker, user: { login: "mallory", type: "User" } },
      { id: 2, body: marker, user: { login: "draftsmith[bot]", type: "User" } },
      {
        id: 3,
        body: marker,
        user: { login: "other[bot]", type: "Bot" },
        performed_via_github_app: { id: 98 },
      },
      { id: 4, body: marker, user: null },
      { id: 5, body: null, user: bot },
      { id: 6, body: "no marker", user: bot },
    ]);
    nock(API).get("/app").reply(200, { slug: "draftsmith" });
    takes("POST", LIST, { id: 13 });
    expect(await setUp().github.perform(act, null)).toEqual({ id: 13 });
  });

  it("is looked for with its last words, and what stands twice stands once then", async () => {
    mints();
    listed([
      { id: 12, body: `older\n${marker}`, user: bot },
      { id: 11, body: `older\n${marker}`, user: bot },
      { id: 13, body: marker, user: { login: "mallory", type: "User" } },
    ]);
    nock(API).get("/app").reply(200, { slug: "draftsmith" });
    const removed = nock(API).delete("/repos/acme/shop/issues/comments/12").reply(204);
    const bodies = takes("PATCH", "/repos/acme/shop/issues/comments/11", { id: 11 });
    expect(await setUp().github.perform({ ...act, last: true }, { id: 12 })).toEqual({ id: 11 });
    expect(bodies).toEqual([{ body: act.body }]);
    expect(removed.isDone()).toBe(true);
  });

  it("is the oldest when several of ours stand, also on later pages", async () => {
    mints();
    nock(API).delete("/repos/acme/shop/issues/comments/30").reply(204);
    listed([{ id: 30, body: act.body, user: bot }], 1, { link: `<${API}/x>; rel="next"` });
    listed([{ id: 20, body: act.body, user: bot }], 2, { link: `<${API}/x>; rel="prev"` });
    nock(API).get("/app").reply(200, { slug: "draftsmith" });
    expect(await setUp().github.perform(act, null)).toEqual({ id: 20 });
  });

  it("is known as ours by its bot where the host has no GET /app", async () => {
    mints();
    listed([{ id: 12, body: act.body, user: { login: "app/draftsmith", type: "Bot" } }]);
    nock(API).get("/app").reply(404, { message: "Not Found" });
    expect(await setUp().github.perform(act, null)).toEqual({ id: 12 });
  });

  it("is told from others' by a login that is asked for once", async () => {
    mints();
    nock(API).get("/app").reply(200, { slug: "draftsmith" });
    const { github } = setUp();
    for (let time = 0; time < 2; time++) {
      listed([{ id: 12, body: act.body, user: bot }]);
      expect(await github.perform(act, null)).toEqual({ id: 12 });
    }
  });

  it("is not written twice while GitHub cannot say who we are", async () => {
    mints();
    const { github } = setUp();
    listed([{ id: 12, body: act.body, user: bot }]);
    nock(API).get("/app").times(4).reply(502, { message: "no" });
    await expect(github.perform(act, null)).rejects.toThrow(TransientError);
    listed([{ id: 12, body: act.body, user: bot }]);
    nock(API).get("/app").reply(200, { slug: "draftsmith" });
    expect(await github.perform(act, null)).toEqual({ id: 12 });
  });

  it("that a person deleted is written again", async () => {
    mints();
    nock(API).patch("/repos/acme/shop/issues/comments/11").reply(404, { message: "Not Found" });
    listed([]);
    takes("POST", LIST, { id: 14 });
    expect(await setUp().github.perform(act, { id: 11 })).toEqual({ id: 14 });
  });

  it("is not written when the look for it fails", async () => {
    mints();
    nock(API).get(LIST).query(true).times(4).reply(500);
    await expect(setUp().github.perform(act, null)).rejects.toThrow(TransientError);
  });

  it("on a locked issue is refused with the reason", async () => {
    mints();
    listed([]);
    nock(API)
      .post(LIST)
      .reply(403, { message: "Unable to create comment because issue is locked." });
    const failure = setUp().github.perform(act, null);
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(
      "Could not comment on #5 in acme/shop: the conversation is locked.",
    );
  });
});
