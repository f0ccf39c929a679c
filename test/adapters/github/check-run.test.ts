import nock from "nock";
import { expect, it } from "vitest";
import type { ActOf } from "../../../src/core/act.ts";
import { TransientError } from "../../../src/core/errors.ts";
import { API, type Asked, mints, repo, seen, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const sha = "a".repeat(40);
const act: ActOf<"check_run"> = {
  kind: "check_run",
  repo,
  sha,
  jobId: "job-1",
  conclusion: "failure",
  title: "1 of 2 checks failed",
  summary: "| Command |",
  url: "https://github.com/acme/shop/pull/3",
};
const RUNS = "/repos/acme/shop/check-runs";

const lists = (runs: object[]) =>
  nock(API)
    .get(`/repos/acme/shop/commits/${sha}/check-runs`)
    .query({ check_name: "Draftsmith", app_id: 99, filter: "all", page: 1, per_page: 100 })
    .reply(200, { total_count: runs.length, check_runs: runs });

it("is written once, with a token that can write nothing else", async () => {
  const asked = mints();
  lists([]);
  const bodies: Asked[] = [];
  nock(API)
    .post(RUNS)
    .reply(201, async (request: Request) => {
      bodies.push(await seen(request));
      return { id: 8 };
    });
  expect(await setUp().github.perform(act, null)).toEqual({ id: 8 });
  expect(asked[0]?.body).toMatchObject({ permissions: { checks: "write", metadata: "read" } });
  expect(bodies[0]?.body).toEqual({
    name: "Draftsmith",
    head_sha: sha,
    status: "completed",
    conclusion: "failure",
    details_url: act.url,
    external_id: "job-1",
    output: { title: act.title, summary: act.summary },
  });
});

it("of a first try whose answer was lost is found by its job, and by nobody else's", async () => {
  mints();
  lists([
    { id: 7, external_id: "job-1", app: { id: 5 } },
    { id: 8, external_id: "job-2", app: { id: 99 } },
    { id: 9, external_id: "job-1", app: { id: 99 } },
  ]);
  expect(await setUp().github.perform(act, null)).toEqual({ id: 9 });
});

it("is left out where the permission is not granted, which is said once", async () => {
  nock(API)
    .post("/app/installations/7/access_tokens")
    .reply(422, { message: "The permissions requested are not granted to this installation." });
  nock(API)
    .get("/app/installations/7")
    .reply(200, { permissions: { contents: "write" } });
  mints();
  nock(API)
    .get(`/repos/acme/shop/commits/${sha}/check-runs`)
    .query(true)
    .reply(403, { message: "Resource not accessible by integration" });
  const { github, lines } = setUp();
  expect(await github.perform(act, null)).toBeNull();
  expect(await github.perform(act, null)).toBeNull();
  expect(lines.filter((line) => line.startsWith("no check runs"))).toHaveLength(1);
  expect(lines.join()).toContain("Checks: read and write");
});

it("is tried again while GitHub does not see the commit yet", async () => {
  mints();
  lists([]);
  nock(API)
    .post(RUNS)
    .reply(422, { message: `No commit found for SHA: ${sha}` });
  await expect(setUp().github.perform(act, null)).rejects.toBeInstanceOf(TransientError);
});
