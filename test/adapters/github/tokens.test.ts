import { createVerify } from "node:crypto";
import nock from "nock";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/core/errors.ts";
import { API, mints, NOW, publicKey, repo, seen, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

function readsRepository(times = 1): { tokens: (string | null)[] } {
  const tokens: (string | null)[] = [];
  nock(API)
    .get("/repos/acme/shop")
    .times(times)
    .reply(200, async (request: Request) => {
      tokens.push((await seen(request)).authorization);
      return { id: 42, default_branch: "main", archived: false };
    });
  return { tokens };
}

describe("installation tokens", () => {
  it("are minted by the App for one repository and the permissions of a read", async () => {
    const asked = mints("ghs_read");
    const { tokens } = readsRepository();
    await setUp().github.repository(repo);

    expect(asked[0]?.body).toEqual({
      repository_ids: [42],
      permissions: {
        contents: "read",
        issues: "read",
        pull_requests: "read",
        metadata: "read",
      },
    });
    expect(tokens).toEqual(["token ghs_read"]);

    const [head, payload, signature] = (asked[0]?.authorization ?? "")
      .replace(/^bearer /, "")
      .split(".");
    const verified = createVerify("RSA-SHA256")
      .update(`${head}.${payload}`)
      .verify(publicKey, signature ?? "", "base64url");
    expect(verified).toBe(true);
    expect(JSON.parse(Buffer.from(payload ?? "", "base64url").toString())).toMatchObject({
      iss: 99,
    });
  });

  it("for git carry contents and nothing else", async () => {
    const read = mints("ghs_fetch");
    const { github } = setUp();
    expect(await github.gitToken(repo, "read")).toBe("ghs_fetch");
    const write = mints("ghs_push");
    expect(await github.gitToken(repo, "write")).toBe("ghs_push");
    expect(read[0]?.body).toMatchObject({ permissions: { contents: "read", metadata: "read" } });
    expect(write[0]?.body).toEqual({
      repository_ids: [42],
      permissions: { contents: "write", metadata: "read" },
    });
  });

  it("are kept until five minutes before they end, also among calls at the same time", async () => {
    let now = NOW;
    const seen: string[] = [];
    const { github } = setUp({ now: () => now, onToken: (token) => seen.push(token) });
    mints("ghs_one");
    const both = await Promise.all([github.gitToken(repo, "read"), github.gitToken(repo, "read")]);
    expect(both).toEqual(["ghs_one", "ghs_one"]);
    now = NOW + 54 * 60_000;
    expect(await github.gitToken(repo, "read")).toBe("ghs_one");
    now = NOW + 55 * 60_000;
    mints("ghs_two", { expiresIn: 2 * 3_600_000 });
    expect(await github.gitToken(repo, "read")).toBe("ghs_two");
    expect(seen).toEqual(["ghs_one", "ghs_two"]);
  });

  it("of one repository are never used for another", async () => {
    mints("ghs_shop");
    const { github } = setUp();
    await github.gitToken(repo, "read");
    const other = mints("ghs_other");
    expect(await github.gitToken({ ...repo, id: 43, name: "other" }, "read")).toBe("ghs_other");
    expect(other[0]?.body).toMatchObject({ repository_ids: [43] });
  });

  it("that GitHub no longer takes are replaced once", async () => {
    mints("ghs_old");
    const { github, lines } = setUp();
    readsRepository();
    await github.repository(repo);

    nock(API).get("/repos/acme/shop").reply(401, { message: "Bad credentials" });
    mints("ghs_new");
    const { tokens } = readsRepository();
    expect(await github.repository(repo)).toEqual({ defaultBranch: "main", archived: false });
    expect(tokens).toEqual(["token ghs_new"]);
    expect(lines.join("\n")).not.toContain("ghs_");
  });

  it("fresh from the mint may be refused for a moment", async () => {
    mints("ghs_first");
    nock(API).get("/repos/acme/shop").reply(401, { message: "Bad credentials" });
    mints("ghs_second");
    nock(API).get("/repos/acme/shop").reply(401, { message: "Bad credentials" });
    const { tokens } = readsRepository();
    await setUp().github.repository(repo);
    expect(tokens).toEqual(["token ghs_second"]);
  });

  it("that are never taken end in an explanation, not in a loop", async () => {
    mints("ghs_a");
    mints("ghs_b");
    nock(API).get("/repos/acme/shop").times(3).reply(401, { message: "Bad credentials" });
    const failure = setUp().github.repository(repo);
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(/still installed/);
  });

  it("are asked for again when the mint stumbles", async () => {
    nock(API).post("/app/installations/7/access_tokens").reply(502);
    nock(API).post("/app/installations/7/access_tokens").replyWithError("connection reset");
    mints("ghs_third");
    expect(await setUp().github.gitToken(repo, "read")).toBe("ghs_third");
  });
});

describe("a refused token", () => {
  function refuses(status: number, message: string) {
    nock(API).post("/app/installations/7/access_tokens").reply(status, { message });
  }

  it("names the permission that is missing and the remedy", async () => {
    refuses(422, "The permissions requested are not granted to this installation.");
    nock(API)
      .get("/app/installations/7")
      .reply(200, { id: 7, permissions: { contents: "write", issues: "read", metadata: "read" } });
    const failure = setUp().github.perform(
      { kind: "reaction", repo, commentId: 5, content: "eyes" },
      null,
    );
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(
      'The App lacks the permission "Issues: read and write" and "Pull requests: read and write" on acme/shop. Add it in the App\'s settings, then accept it in the settings of the installation.',
    );
  });

  it.each([
    [401, "Integration not found", /APP_ID and PRIVATE_KEY/],
    [403, "This installation has been suspended", /suspended/],
    [404, "Not Found", /not installed on acme\/shop/],
    [
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
      /does not include acme\/shop/,
    ],
  ])("with %d %s says why", async (status, message, text) => {
    refuses(status, message);
    const failure = setUp().github.gitToken(repo, "write");
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(text);
  });

  it("is not remembered", async () => {
    refuses(404, "Not Found");
    const { github } = setUp();
    await expect(github.gitToken(repo, "read")).rejects.toThrow(UserError);
    mints("ghs_later");
    expect(await github.gitToken(repo, "read")).toBe("ghs_later");
  });
});
