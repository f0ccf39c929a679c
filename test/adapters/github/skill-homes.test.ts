import nock from "nock";
import { expect, it } from "vitest";
import { TransientError } from "../../../src/core/errors.ts";
import { API, mints, repo, revoked, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const TOKENS = "/app/installations/7/access_tokens";
const byName = (body: unknown) =>
  JSON.stringify(body) ===
  JSON.stringify({ repositories: [".github"], permissions: { metadata: "read" } });

it("finds the .github repository by a token for that one, which may only see it, and gives the token back", async () => {
  nock(API)
    .post(TOKENS, byName)
    .reply(201, { token: "ghs_home", expires_at: "2026-03-01T13:00:00Z" });
  const asked: string[] = [];
  nock(API)
    .get("/repos/acme/.github")
    .reply((request: Request) => {
      asked.push(request.headers.get("authorization") ?? "");
      return [200, { id: 99, name: ".github", owner: { login: "Acme" } }];
    });
  expect(await setUp().github.organisation(repo)).toEqual({
    installationId: 7,
    id: 99,
    owner: "acme",
    name: ".github",
  });
  expect(asked).toEqual(["token ghs_home"]);
  expect(revoked).toEqual(["token ghs_home"]);
});

it.each([
  [403, "Resource not accessible by integration"],
  [404, "Not Found"],
  [422, "There is at least one repository that does not exist or is not accessible"],
])("has none where GitHub answers %i", async (status, message) => {
  nock(API).post(TOKENS, byName).reply(status, { message });
  expect(await setUp().github.organisation(repo)).toBeNull();
});

it("has none for the .github repository itself, and does not ask", async () => {
  expect(await setUp().github.organisation({ ...repo, name: ".github" })).toBeNull();
});

it("has none when another's answers, but waits for a GitHub that is away", async () => {
  nock(API).post(TOKENS, byName).times(2).reply(201, { token: "ghs_home" });
  nock(API)
    .get("/repos/acme/.github")
    .reply(200, { id: 9, owner: { login: "evil" } });
  expect(await setUp().github.organisation(repo)).toBeNull();
  const { github } = setUp();
  nock(API).get("/repos/acme/.github").times(9).optionally().reply(503, { message: "away" });
  await expect(github.organisation(repo)).rejects.toThrow(TransientError);
});

it("asks once for many jobs of a minute, and again after a failure", async () => {
  let away = true;
  nock(API).post(TOKENS, byName).times(2).reply(201, { token: "ghs_home" });
  nock(API)
    .get("/repos/acme/.github")
    .times(9)
    .optionally()
    .reply(() => (away ? [503, { message: "away" }] : [200, { id: 99, owner: { login: "acme" } }]));
  const { github } = setUp();
  await expect(github.organisation(repo)).rejects.toThrow(TransientError);
  away = false;
  const asked = [1, 2, 3].map(() => github.organisation({ ...repo, name: "tools" }));
  expect((await Promise.all(asked)).map((home) => home?.id)).toEqual([99, 99, 99]);
});

const COMMITS = "/repos/acme/shop/commits?per_page=1";
const tree = (id: string) => `/repos/acme/shop/git/trees/${id}`;
const dir = (path: string, sha: string) => ({ path, sha, mode: "040000", type: "tree" });
const file = (path: string, sha: string) => ({ path, sha, mode: "100644", type: "blob", size: 9 });

it("lists the default branch by its trees, and reads each folder on the way once", async () => {
  mints("ghs_first", { times: 1 });
  nock(API)
    .get(COMMITS)
    .reply(200, [{ sha: "c1", commit: { tree: { sha: "t1" } } }]);
  nock(API)
    .get(tree("t1"))
    .reply(200, { tree: [dir(".agents", "t2"), file("a.txt", "b1")], truncated: false });
  nock(API)
    .get(tree("t2"))
    .reply(200, { tree: [dir("skills", "t3")], truncated: false });
  nock(API)
    .get(`${tree("t3")}?recursive=1`)
    .times(2)
    .reply(200, {
      tree: [dir("one", "t4"), file("one/SKILL.md", "b2"), file("one/a.md", "b3")],
      truncated: false,
    });
  nock(API)
    .get("/repos/acme/shop/git/blobs/b2")
    .times(2)
    .reply(200, { content: Buffer.from("a skill\n").toString("base64"), encoding: "base64" });
  const files = await setUp().github.files(repo);
  expect(await files?.entry(".agents/skills")).toMatchObject({ mode: "040000", id: "t3" });
  expect(await files?.entry(".claude/skills")).toBeNull();
  expect(await files?.entry("a.txt/b")).toBeNull();
  expect(await files?.entries(".claude/skills", 9)).toEqual([]);
  expect(await files?.entries(".agents/skills", 2)).toEqual([
    { path: ".agents/skills/one/SKILL.md", mode: "100644", id: "b2", size: 9 },
    { path: ".agents/skills/one/a.md", mode: "100644", id: "b3", size: 9 },
  ]);
  expect(await files?.entries(".agents/skills", 1)).toBeNull();
  expect(Buffer.from((await files?.bytes("b2", 8)) ?? []).toString()).toBe("a skill\n");
  await expect(files?.bytes("b2", 7)).rejects.toThrow("larger than 7 bytes");
});

it("has no whole list of a folder that GitHub cuts off", async () => {
  mints("ghs_first", { times: 1 });
  nock(API)
    .get(COMMITS)
    .reply(200, [{ sha: "c1", commit: { tree: { sha: "t1" } } }]);
  nock(API)
    .get(tree("t1"))
    .reply(200, { tree: [dir("skills", "t2")], truncated: false });
  nock(API)
    .get(`${tree("t2")}?recursive=1`)
    .reply(200, { tree: [file("one/SKILL.md", "b2")], truncated: true });
  expect(await (await setUp().github.files(repo))?.entries("skills", 9)).toBeNull();
});

it.each([404, 409])("an empty repository has no files: GitHub answers %i", async (status) => {
  mints("ghs_first", { times: 1 });
  nock(API).get(COMMITS).reply(status, { message: "Git Repository is empty." });
  expect(await setUp().github.files(repo)).toBeNull();
});
