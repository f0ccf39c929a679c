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

it("names the folders of a folder and links that may lead to one, and nothing else in it", async () => {
  mints("ghs_first", { times: 1 });
  nock(API)
    .get("/repos/acme/shop/contents/.agents/skills")
    .reply(200, [
      { type: "dir", name: "one" },
      { type: "file", name: "README.md" },
      { type: "symlink", name: "two" },
    ]);
  nock(API).get("/repos/acme/shop/contents/.claude/skills").reply(404, { message: "Not Found" });
  nock(API)
    .get("/repos/acme/shop/contents/.codex/skills")
    .reply(200, { type: "symlink", target: "../tools" });
  nock(API)
    .get("/repos/acme/shop/contents/tools")
    .reply(200, [{ type: "dir", name: "three" }]);
  nock(API)
    .get("/repos/acme/shop/contents/.github/skills")
    .reply(200, { type: "symlink", target: "../../elsewhere" });
  const { github } = setUp();
  expect(await github.folders(repo, ".agents/skills")).toEqual(["one", "two"]);
  expect(await github.folders(repo, ".claude/skills")).toEqual([]);
  expect(await github.folders(repo, ".codex/skills")).toEqual(["three"]);
  expect(await github.folders(repo, ".github/skills")).toEqual([]);
});
