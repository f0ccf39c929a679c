import nock from "nock";
import { describe, expect, it } from "vitest";
import { NoInstallation, TransientError, UserError } from "../../../src/core/errors.ts";
import { API, mints, repo, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

describe("permission", () => {
  const ada = { id: 5, login: "ada" };
  const path = "/repos/acme/shop/collaborators/ada/permission";

  it.each([
    ["admin", "admin", "admin"],
    ["write", "maintain", "maintain"],
    ["write", "write", "write"],
    ["read", "triage", "triage"],
    ["read", "read", "read"],
    ["none", "none", "none"],
    // Custom roles: the name is the organisation's, the permission is GitHub's.
    ["write", "release-crew", "write"],
    ["read", "helper", "read"],
    ["read", "admin", "read"],
    ["read", "write", "read"],
    ["none", "maintain", "none"],
    ["read", "toString", "read"],
    ["admin", "read", "read"],
    ["maintain", "maintain", "maintain"],
    ["write", undefined, "write"],
  ])("%s with the role %s is %s", async (permission, role_name, expected) => {
    mints();
    nock(API)
      .get(path)
      .reply(200, { permission, role_name, user: { login: "ada", id: 5 } });
    expect(await setUp().github.permission(repo, ada)).toBe(expected);
  });

  it.each<[string, unknown, string]>([
    ["somebody else took over the login", { login: "ada", id: 6 }, "none"],
    ["the number is a text", { login: "ada", id: "5" }, "none"],
    ["the answer is about another login", { login: "eve" }, "none"],
    ["the answer names nobody in particular", {}, "none"],
    ["the login is spelled in another way", { login: "ADA", id: 5 }, "admin"],
    ["the host gives no numbers", { login: "Ada" }, "admin"],
    ["the host names nobody", null, "none"],
    ["the host leaves the person out", undefined, "admin"],
  ])("when %s", async (_, user, expected) => {
    mints();
    nock(API)
      .get(path)
      .reply(200, { permission: "admin", role_name: "admin", user } as nock.Body);
    expect(await setUp().github.permission(repo, ada)).toBe(expected);
  });

  it.each([
    ["no permission", {}],
    ["a list", []],
    ["nothing", null],
    ["a number for a word", { permission: 4 }],
    ["a word in capitals", { permission: "ADMIN", role_name: "admin" }],
  ])("is never guessed from %s", async (_, body) => {
    mints();
    nock(API).get(path).reply(200, JSON.stringify(body), { "content-type": "application/json" });
    await expect(setUp().github.permission(repo, ada)).rejects.toThrow();
  });

  it.each([
    ["suspended", 403, "This installation has been suspended"],
    ["absent", 404, "Not Found"],
    ["absent", 422, "There is at least one repository that does not exist"],
  ])("is not asked while the App's installation is %s (%d)", async (state, status, message) => {
    nock(API).post("/app/installations/7/access_tokens").reply(status, { message });
    const asking = setUp().github.permission(repo, ada);
    await expect(asking).rejects.toThrow(NoInstallation);
    await expect(asking).rejects.toMatchObject({ state });
  });

  it("is not asked with a token from before the installation was suspended", async () => {
    mints();
    nock(API).get(path).reply(403, { message: "This installation has been suspended" });
    await expect(setUp().github.permission(repo, ada)).rejects.toMatchObject({
      state: "suspended",
    });
  });

  it("of a person GitHub does not find is none", async () => {
    mints();
    nock(API).get(path).reply(404, { message: "ada is not a user" });
    nock(API).get("/repos/acme/shop").reply(200, { id: 42 });
    expect(await setUp().github.permission(repo, ada)).toBe("none");
  });

  it("is not guessed where the repository is not found either", async () => {
    mints();
    nock(API).get(path).reply(404, { message: "Not Found" });
    nock(API).get("/repos/acme/shop").reply(404, { message: "Not Found" });
    await expect(setUp().github.permission(repo, ada)).rejects.toThrow(/does not find it/);
  });

  it.each([
    [403, UserError],
    [500, TransientError],
  ])("is never guessed from a %d", async (status, kind) => {
    mints();
    nock(API)
      .get(path)
      .times(status === 500 ? 4 : 1)
      .reply(status, { message: "no" });
    await expect(setUp().github.permission(repo, ada)).rejects.toThrow(kind);
  });

  it("is never guessed from an unknown word", async () => {
    mints();
    nock(API).get(path).reply(200, { permission: "owner", role_name: "owner" });
    await expect(setUp().github.permission(repo, ada)).rejects.toThrow(/unknown permission/);
  });
});

describe("repository", () => {
  it("is found under its old name", async () => {
    mints();
    nock(API)
      .get("/repos/acme/shop")
      .reply(301, {}, { location: `${API}/repositories/42` });
    nock(API)
      .get("/repositories/42")
      .matchHeader("authorization", "token ghs_first")
      .reply(200, { id: 42, default_branch: "trunk", archived: true });
    expect(await setUp().github.repository(repo)).toEqual({
      defaultBranch: "trunk",
      archived: true,
    });
  });

  it.each([{}, [], null, { id: 42 }])("told as %j is unknown", async (answer) => {
    mints();
    nock(API).get("/repos/acme/shop").reply(200, JSON.stringify(answer), {
      "content-type": "application/json",
    });
    await expect(setUp().github.repository(repo)).rejects.toBeInstanceOf(TransientError);
  });

  it("that took over the name of another is refused", async () => {
    mints();
    nock(API)
      .get("/repos/acme/shop")
      .reply(200, { id: 4711, default_branch: "main", archived: false });
    await expect(setUp().github.repository(repo)).rejects.toThrow(/another repository now/);
  });
});

/** Refuses a token for the repository in an installation. */
function refusesToken(installation: number, status: number): void {
  nock(API)
    .post(`/app/installations/${installation}/access_tokens`)
    .reply(status, { message: "not accessible to the parent installation" });
}

/** Gives a token for another installation than the usual one; what was asked for. */
function mintsOf(installation: number): unknown[] {
  const asked: unknown[] = [];
  nock(API)
    .post(`/app/installations/${installation}/access_tokens`)
    .reply(201, async (request: Request) => {
      asked.push(await request.json());
      return { token: "ghs_there", expires_at: "2026-03-01T13:00:00Z" };
    });
  return asked;
}

describe("find", () => {
  const store = { id: 42, name: "store", owner: { login: "acme" } };
  const taken = { id: 4711, name: "shop", owner: { login: "acme" } };

  it("gives the present name of a repository that was renamed", async () => {
    mints();
    nock(API)
      .get("/repos/acme/shop")
      .reply(301, {}, { location: `${API}/repositories/42` });
    nock(API).get("/repositories/42").reply(200, store);
    expect(await setUp().github.find(repo)).toEqual({ ...repo, name: "store" });
  });

  it.each([
    ["is gone", 404, { message: "Not Found" }],
    ["is another's", 200, taken],
  ])("asks by number where the name %s", async (_, status, body) => {
    mints();
    nock(API).get("/repos/acme/shop").reply(status, body);
    nock(API).get("/repositories/42").reply(200, store);
    expect(await setUp().github.find(repo)).toEqual({ ...repo, name: "store" });
  });

  it("gives the installation of another owner whom it was handed over to", async () => {
    refusesToken(7, 422);
    nock(API)
      .get("/repos/acme/shop/installation")
      .reply(301, {}, { location: `${API}/repositories/42/installation` });
    nock(API).get("/repositories/42/installation").reply(200, { id: 8 });
    const asked = mintsOf(8);
    nock(API).get("/repos/acme/shop").reply(404, { message: "Not Found" });
    nock(API)
      .get("/repositories/42")
      .reply(200, { ...store, owner: { login: "globex" } });
    const there = { ...repo, installationId: 8, owner: "globex", name: "store" };
    expect(await setUp().github.find(repo)).toEqual(there);
    expect(asked).toMatchObject([{ repository_ids: [42] }]);
  });

  it("says what was said at first where the other installation does not hold it", async () => {
    refusesToken(7, 404);
    nock(API).get("/repos/acme/shop/installation").reply(200, { id: 8 });
    refusesToken(8, 422);
    await expect(setUp().github.find(repo)).rejects.toThrow(/not installed on acme\/shop/);
  });

  it("looks nowhere else while GitHub does not answer", async () => {
    mints();
    nock(API).get("/repos/acme/shop").times(4).reply(500, {});
    await expect(setUp().github.find(repo)).rejects.toThrow(TransientError);
  });

  it("refuses what is nowhere, and never takes another repository for it", async () => {
    mints();
    nock(API).get("/repos/acme/shop").reply(200, taken);
    nock(API).get("/repositories/42").reply(404, { message: "Not Found" });
    nock(API).get("/repos/acme/shop/installation").reply(200, { id: 7 });
    await expect(setUp().github.find(repo)).rejects.toThrow(/another repository now/);
  });
});

describe("branchSha", () => {
  it("gives the commit of a branch whose name has slashes", async () => {
    mints();
    nock(API)
      .get("/repos/acme/shop/git/ref/heads/codex/1-jwt")
      .reply(200, { ref: "refs/heads/codex/1-jwt", object: { type: "commit", sha: "abc" } });
    expect(await setUp().github.branchSha(repo, "codex/1-jwt")).toBe("abc");
  });

  it.each([
    [404, "Not Found"],
    [409, "Git Repository is empty."],
  ])("is null when GitHub answers %d %s", async (status, message) => {
    mints();
    nock(API).get("/repos/acme/shop/git/ref/heads/main").reply(status, { message });
    expect(await setUp().github.branchSha(repo, "main")).toBeNull();
  });

  it("does not take a longer name for the branch", async () => {
    mints();
    nock(API)
      .get("/repos/acme/shop/git/ref/heads/feat")
      .reply(200, [{ ref: "refs/heads/feature", object: { type: "commit", sha: "wrong" } }]);
    expect(await setUp().github.branchSha(repo, "feat")).toBeNull();
  });
});

describe("file", () => {
  const path = "/repos/acme/shop/contents/.github/codex.yml";
  const read = () => setUp().github.file(repo, ".github/codex.yml");
  const content = (bytes: string | Buffer) => Buffer.from(bytes).toString("base64");

  it("is read as UTF-8 from the default branch", async () => {
    mints();
    nock(API)
      .get(path)
      .reply(200, {
        type: "file",
        encoding: "base64",
        size: 9,
        content: `${content("base: ü\n")}\n`,
      });
    expect(await read()).toBe("base: ü\n");
  });

  it("that does not exist is null", async () => {
    mints();
    nock(API).get(path).reply(404, { message: "Not Found" });
    expect(await read()).toBeNull();
  });

  it.each<[string, unknown, RegExp]>([
    ["a directory", [{ type: "file", name: "a" }], /not a regular file/],
    ["a submodule", { type: "submodule", size: 0, submodule_git_url: "x" }, /not a regular file/],
    ["a link", { type: "symlink", size: 3, target: "x" }, /not a regular file/],
    [
      "too large",
      { type: "file", encoding: "none", size: 200_000, content: "" },
      /larger than 100000 bytes/,
    ],
    [
      "not text",
      { type: "file", encoding: "base64", size: 2, content: content(Buffer.from([0xff, 0xfe])) },
      /not UTF-8/,
    ],
  ])("that is %s is refused", async (_name, body, text) => {
    mints();
    nock(API).get(path).reply(200, JSON.stringify(body), { "content-type": "application/json" });
    const failure = read();
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(text);
  });

  it("that cannot be read now is not taken for absent", async () => {
    mints();
    nock(API).get(path).times(4).reply(503);
    await expect(read()).rejects.toThrow(TransientError);
  });
});

describe("pull", () => {
  const facts = (head: unknown) => ({
    number: 3,
    state: "open",
    head: { ref: "feat", sha: "abc", repo: head },
    base: { ref: "main", repo: { id: 42 } },
  });

  it.each([
    ["this repository", { id: 42 }, true],
    ["a fork", { id: 43 }, false],
    ["a fork that was deleted", null, false],
  ])("with its head in %s", async (_name, head, sameRepo) => {
    mints();
    nock(API).get("/repos/acme/shop/pulls/3").reply(200, facts(head));
    expect(await setUp().github.pull(repo, 3)).toEqual({
      number: 3,
      state: "open",
      headRef: "feat",
      headSha: "abc",
      sameRepo,
      baseRef: "main",
    });
  });
});
