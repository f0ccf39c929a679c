import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import nock from "nock";
import { afterEach, describe, expect, it } from "vitest";
import type { ActOf } from "../../../src/core/act.ts";
import { TransientError, UserError } from "../../../src/core/errors.ts";
import { API, mints, NOW, repo, seen, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const eyes: ActOf<"reaction"> = { kind: "reaction", repo, commentId: 5, content: "eyes" };
const REACTIONS = "/repos/acme/shop/issues/comments/5/reactions";
const facts = { id: 42, default_branch: "main", archived: false };

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => expect.fail(`did not fail but gave ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

describe("a read", () => {
  it("is tried again after lost connections and server errors", async () => {
    mints();
    nock(API).get("/repos/acme/shop").replyWithError("connection reset");
    nock(API).get("/repos/acme/shop").reply(502, "<html>Bad gateway</html>");
    nock(API).get("/repos/acme/shop").reply(500, { message: "Server Error" });
    nock(API).get("/repos/acme/shop").reply(200, facts);
    const { github, lines } = setUp();
    expect(await github.repository(repo)).toEqual({ defaultBranch: "main", archived: false });
    expect(lines).toHaveLength(3);
  });

  it("is given up after three more tries, as a failure that may pass", async () => {
    mints();
    nock(API).get("/repos/acme/shop").times(4).reply(502);
    const error = await caught(setUp().github.repository(repo));
    expect(error).toBeInstanceOf(TransientError);
    expect(error).toHaveProperty("message", "GitHub answered 502 to GET /repos/{owner}/{repo}");
  });

  it("waits for a rate limit that ends at once", async () => {
    mints();
    nock(API).get("/repos/acme/shop").reply(429, { message: "slow down" }, { "retry-after": "0" });
    nock(API).get("/repos/acme/shop").reply(200, facts);
    await setUp().github.repository(repo);
  });

  it("is not tried again when the answer is definite", async () => {
    mints();
    nock(API).get("/repos/acme/shop").reply(404, { message: "Not Found" });
    expect(await caught(setUp().github.repository(repo))).toBeInstanceOf(UserError);
  });

  it("of something that is no JSON is no success", async () => {
    mints();
    nock(API)
      .get("/repos/acme/shop")
      .times(4)
      .reply(200, "<html>Sign in to the hotel</html>", { "content-type": "text/html" });
    expect(await caught(setUp().github.repository(repo))).toBeInstanceOf(TransientError);
  });
});

describe("a write", () => {
  it.each([500, 502, 503, 504])("is sent exactly once when GitHub answers %d", async (status) => {
    mints();
    nock(API).post(REACTIONS).reply(status, { message: "Server Error" });
    expect(await caught(setUp().github.perform(eyes, null))).toBeInstanceOf(TransientError);
  });

  it("is sent exactly once when the connection is lost", async () => {
    mints();
    nock(API).post(REACTIONS).replyWithError("connection reset");
    const error = await caught(setUp().github.perform(eyes, null));
    expect(error).toBeInstanceOf(TransientError);
    expect(error).toHaveProperty("message", expect.stringContaining("connection reset"));
  });

  it("is sent exactly once when a rate limit is short", async () => {
    mints();
    nock(API).post(REACTIONS).reply(429, {}, { "retry-after": "1" });
    expect(await caught(setUp().github.perform(eyes, null))).toBeInstanceOf(TransientError);
  });

  it("follows a renamed repository with the same method and body", async () => {
    mints();
    const bodies: unknown[] = [];
    nock(API)
      .post(REACTIONS)
      .reply(
        301,
        { message: "Moved Permanently" },
        {
          location: `${API}/repositories/42/issues/comments/5/reactions`,
        },
      );
    nock(API)
      .post("/repositories/42/issues/comments/5/reactions")
      .reply(201, async (request: Request) => {
        bodies.push(await seen(request));
        return { id: 1 };
      });
    await setUp().github.perform(eyes, null);
    expect(bodies).toEqual([{ body: { content: "eyes" }, authorization: "token ghs_first" }]);
  });

  it("never takes its token to another host", async () => {
    mints();
    nock(API).post(REACTIONS).reply(307, {}, { location: "https://evil.example/reactions" });
    const error = await caught(setUp().github.perform(eyes, null));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toHaveProperty("message", expect.stringContaining("another address"));
  });
});

describe("a rate limit", () => {
  const minute = NOW + 60_000;
  it.each<[string, number, string, Record<string, string>, number]>([
    ["429 with retry-after", 429, "slow down", { "retry-after": "17" }, NOW + 17_000],
    ["403 with retry-after", 403, "slow down", { "retry-after": "90" }, NOW + 90_000],
    [
      "the hour's limit",
      403,
      "API rate limit exceeded",
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW / 1000 + 600) },
      NOW + 600_000,
    ],
    [
      "a limit that ended by our clock",
      403,
      "API rate limit exceeded",
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW / 1000 - 9) },
      NOW + 1000,
    ],
    [
      "a secondary limit",
      403,
      "You have exceeded a secondary rate limit. Please wait a few minutes.",
      { "x-ratelimit-remaining": "4999", "x-ratelimit-reset": String(NOW / 1000 + 600) },
      minute,
    ],
    ["abuse detection", 403, "You have triggered an abuse detection mechanism.", {}, minute],
    ["429 alone", 429, "Too many requests", {}, minute],
    ["503 with retry-after", 503, "Unavailable", { "retry-after": "30" }, NOW + 30_000],
  ])("(%s) says when to come back", async (_name, status, message, headers, retryAt) => {
    mints();
    nock(API).post(REACTIONS).reply(status, { message }, headers);
    const error = await caught(setUp().github.perform(eyes, null));
    expect(error).toBeInstanceOf(TransientError);
    expect(error).toHaveProperty("retryAt", retryAt);
  });

  it("that lasts is not waited for in a read", async () => {
    mints();
    nock(API).get("/repos/acme/shop").reply(429, {}, { "retry-after": "60" });
    const error = await caught(setUp().github.repository(repo));
    expect(error).toBeInstanceOf(TransientError);
    expect(error).toHaveProperty("retryAt", minute);
  });
});

describe("a refusal", () => {
  it.each<[number, string, Record<string, string>, string]>([
    [
      403,
      "Resource not accessible by integration",
      { "x-accepted-github-permissions": "issues=write; pull_requests=write" },
      'the App lacks the permission "Issues: read and write" or "Pull requests: read and write"; add it in the App\'s settings, then accept it in the settings of the installation.',
    ],
    [
      403,
      "Resource not accessible by integration",
      {},
      'the App lacks the permission "Issues: read and write" and "Pull requests: read and write"; add',
    ],
    [403, "Unable to create comment because issue is locked.", {}, "the conversation is locked."],
    [
      403,
      "Repository was archived so is read-only.",
      {},
      "the repository is archived, which makes it read-only.",
    ],
    [
      403,
      "Blocked by an organization policy.",
      {},
      "GitHub refused: Blocked by an organization policy.",
    ],
    [404, "Not Found", {}, "GitHub does not find it, or the App has no access to it (any more)."],
    [
      410,
      "Issues are disabled for this repo",
      {},
      "it was deleted or is disabled: Issues are disabled for this repo.",
    ],
    [422, "Validation Failed", {}, "GitHub refused: Validation Failed."],
    [451, "Repository access blocked", {}, "it is blocked for legal reasons."],
  ])("with %d %s is explained", async (status, message, headers, text) => {
    mints();
    nock(API).post(REACTIONS).reply(status, { message }, headers);
    const error = await caught(setUp().github.perform(eyes, null));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toHaveProperty(
      "message",
      expect.stringContaining(`Could not react to the comment in acme/shop: ${text}`),
    );
  });

  it.each([400, 409, 418])("with %d is a bug, neither shown nor tried again", async (status) => {
    mints();
    nock(API).post(REACTIONS).reply(status, { message: "Problems parsing JSON" });
    const error = await caught(setUp().github.perform(eyes, null));
    expect(error).not.toBeInstanceOf(UserError);
    expect(error).not.toBeInstanceOf(TransientError);
  });

  it("carries no token, even when the host repeats it", async () => {
    mints("ghs_99_eyJhbGciOi.J9.secret-part_x");
    nock(API)
      .post(REACTIONS)
      .reply(403, { message: "no rights for ghs_99_eyJhbGciOi.J9.secret-part_x here" });
    const { github, lines } = setUp();
    const error = await caught(github.perform(eyes, null));
    const text = `${error} ${JSON.stringify(error)} ${Reflect.get(Object(error), "cause")} ${lines}`;
    expect(text).toContain("no rights for [secret] here");
    expect(text).not.toContain("ghs_99");
    expect(text).not.toContain("secret-part_x");
  });
});

describe("an Enterprise host", () => {
  it("is spoken to below its own path, for tokens too", async () => {
    const base = "https://ghe.example/api/v3";
    mints("ghs_ghe", { base });
    nock(base)
      .get("/repos/acme/shop")
      .matchHeader("authorization", "token ghs_ghe")
      .reply(200, facts);
    const { github } = setUp({ baseUrl: `${base}/` });
    await github.repository(repo);
  });
});

describe("over a real connection", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** A GitHub that mints tokens and treats everything else as told; gives its address and what came. */
  async function serve(answer: Parameters<typeof createServer>[1]) {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      if (request.url?.endsWith("/access_tokens")) {
        response.setHeader("content-type", "application/json");
        response.statusCode = 201;
        const expires_at = new Date(NOW + 3_600_000).toISOString();
        return response.end(JSON.stringify({ token: "ghs_real", expires_at }));
      }
      requests.push(`${request.method} ${request.url}`);
      return answer?.(request, response as never);
    });
    servers.push(server);
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as AddressInfo;
    return { baseUrl: `http://127.0.0.1:${port}`, requests };
  }

  it("an answer cut off on the way is not taken for an empty one", async () => {
    const { baseUrl, requests } = await serve((_request, response) => {
      response.writeHead(201, { "content-type": "application/json", "content-length": "500" });
      response.write('{"id": 1');
      response.socket?.end();
    });
    const { github } = setUp({ baseUrl });
    expect(await caught(github.perform(eyes, null))).toBeInstanceOf(TransientError);
    expect(requests).toEqual([`POST ${REACTIONS}`]);
    expect(await caught(github.file(repo, "a.txt"))).toBeInstanceOf(TransientError);
    expect(requests).toHaveLength(5);
  });

  it("an answer that never comes ends at the limit", async () => {
    const { baseUrl, requests } = await serve(() => undefined);
    const { github } = setUp({
      baseUrl,
      timing: { readMs: 200, writeMs: 200, delaysMs: [1, 1, 1], tokenLagMs: 1 },
    });
    expect(await caught(github.repository(repo))).toBeInstanceOf(TransientError);
    expect(await caught(github.perform(eyes, null))).toBeInstanceOf(TransientError);
    expect(requests).toEqual(["GET /repos/acme/shop", `POST ${REACTIONS}`]);
  });
});
