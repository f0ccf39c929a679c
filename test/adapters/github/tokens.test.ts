import { createVerify } from "node:crypto";
import nock from "nock";
import { describe, expect, it, vi } from "vitest";
import { type ActOf, jobLane } from "../../../src/core/act.ts";
import { TransientError, UserError } from "../../../src/core/errors.ts";
import type { GitHub } from "../../../src/core/ports.ts";
import {
  API,
  answersRevocations,
  mints,
  NOW,
  publicKey,
  repo,
  revoked,
  seen,
  setUp,
  useGitHubEdge,
} from "./edge.ts";

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

/** The token git is lent for one moment. */
function gitToken(github: Pick<GitHub, "readGit">, of = repo): Promise<string> {
  return github.readGit(of, (token) => token());
}

/** The next tokens of the mint, one after the other; gives what each was asked for. */
function mintsAll(...tokens: string[]): () => unknown[] {
  const asked = tokens.map((token) => mints(token));
  return () => asked.map(([request]) => request?.body);
}

const eyes: ActOf<"reaction"> = { kind: "reaction", repo, commentId: 5, content: "eyes" };
const REACTIONS = "/repos/acme/shop/issues/comments/5/reactions";
const push: ActOf<"push"> = {
  kind: "push",
  repo,
  commit: "c".repeat(40),
  ref: "refs/draftsmith/x",
};

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

  it("are kept until five minutes before they end, also among calls at the same time", async () => {
    let now = NOW;
    const known: string[] = [];
    const onToken = (token: string, alive: boolean) => known.push(`${alive ? "+" : "-"}${token}`);
    const { github } = setUp({ now: () => now, onToken });
    mints("ghs_one");
    expect(await Promise.all([gitToken(github), gitToken(github)])).toEqual(["ghs_one", "ghs_one"]);
    now = NOW + 54 * 60_000;
    expect(await gitToken(github)).toBe("ghs_one");
    now = NOW + 55 * 60_000;
    mints("ghs_two", { expiresIn: 2 * 3_600_000 });
    expect(await gitToken(github)).toBe("ghs_two");
    await vi.waitFor(() => expect(known.toSorted()).toEqual(["+ghs_one", "+ghs_two", "-ghs_one"]));
    expect(revoked).toEqual(["token ghs_one"]);
  });

  it("of one repository are never used for another", async () => {
    mints("ghs_shop");
    const { github } = setUp();
    await gitToken(github);
    const other = mints("ghs_other");
    expect(await gitToken(github, { ...repo, id: 43, name: "other" })).toBe("ghs_other");
    expect(other[0]?.body).toMatchObject({ repository_ids: [43] });
  });

  it.each(["", null, 7, undefined])("that are %j instead are none", async (token) => {
    const known: unknown[] = [];
    const { github } = setUp({ onToken: (each) => known.push(each) });
    nock(API).post("/app/installations/7/access_tokens").reply(201, { token });
    await expect(gitToken(github)).rejects.toBeInstanceOf(TransientError);
    expect(known).toEqual([]);
  });

  it("without a time of expiry live the documented hour", async () => {
    let now = NOW;
    const { github } = setUp({ now: () => now });
    mints("ghs_one", { expires: "never" });
    await gitToken(github);
    now = NOW + 54 * 60_000;
    expect(await gitToken(github)).toBe("ghs_one");
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

  it("wait for the operator while the App's key or the clock is wrong", async () => {
    nock(API)
      .post("/app/installations/7/access_tokens")
      .reply(401, { message: "A JSON web token could not be decoded" });
    const failure = setUp().github.repository(repo);
    await expect(failure).rejects.toThrow(TransientError);
    await expect(failure).rejects.toThrow(/APP_ID and PRIVATE_KEY/);
  });

  it("are asked for again when the mint stumbles", async () => {
    nock(API).post("/app/installations/7/access_tokens").reply(502);
    nock(API).post("/app/installations/7/access_tokens").replyWithError("connection reset");
    mints("ghs_third");
    expect(await gitToken(setUp().github)).toBe("ghs_third");
  });
});

describe("a token of a job", () => {
  it("is never one of the conversation or of another job, and says the least", async () => {
    const { github, gitCalls } = setUp();
    const asked = mintsAll("ghs_gate", "ghs_one", "ghs_two", "ghs_push", "ghs_eyes");
    const first = github.forJob("1");
    const second = github.forJob("2");
    expect(await gitToken(github)).toBe("ghs_gate");
    expect(await gitToken(first.github)).toBe("ghs_one");
    expect(await gitToken(second.github)).toBe("ghs_two");
    await github.perform(push, null, jobLane("1"));
    nock(API).post(REACTIONS).matchHeader("authorization", "token ghs_eyes").reply(201, { id: 1 });
    await github.perform(eyes, null, jobLane("1"));
    expect(gitCalls[0]?.args.at(-1)).toBe("ghs_push");
    const read = { contents: "read", issues: "read", pull_requests: "read", metadata: "read" };
    expect(asked()).toEqual([
      { repository_ids: [42], permissions: read },
      { repository_ids: [42], permissions: read },
      { repository_ids: [42], permissions: read },
      { repository_ids: [42], permissions: { contents: "write", metadata: "read" } },
      {
        repository_ids: [42],
        permissions: { issues: "write", pull_requests: "write", metadata: "read" },
      },
    ]);
  });

  it("is revoked when the job ends, and only that job's", async () => {
    const { github } = setUp();
    mintsAll("ghs_gate", "ghs_read", "ghs_push", "ghs_neighbour");
    const job = github.forJob("1");
    const neighbour = github.forJob("2");
    await gitToken(github);
    await gitToken(job.github);
    await github.perform(push, null, jobLane("1"));
    await gitToken(neighbour.github);
    expect(revoked).toEqual([]);
    job.end();
    await vi.waitFor(() => expect(revoked).toHaveLength(2));
    await github.stop();
    expect(revoked.slice(0, 2).sort()).toEqual(["token ghs_push", "token ghs_read"]);
    expect(revoked.slice(2).sort()).toEqual(["token ghs_gate", "token ghs_neighbour"]);
  });

  it("that is in use when the job ends is revoked after that use", async () => {
    const { github } = setUp();
    mints("ghs_clone");
    const job = github.forJob("1");
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const cloning = job.github.readGit(repo, async (token) => {
      await token();
      job.end();
      await gate.promise;
      order.push(`cloned, ${revoked.length} revoked`);
    });
    gate.resolve();
    await cloning;
    await vi.waitFor(() => expect(revoked).toEqual(["token ghs_clone"]));
    expect(order).toEqual(["cloned, 0 revoked"]);
  });

  it("that is wanted after the job ended serves one use", async () => {
    const { github } = setUp();
    mintsAll("ghs_late", "ghs_later");
    github.forJob("1").end();
    const drop = { kind: "delete_ref", repo, ref: "refs/draftsmith/x" } as const;
    await github.perform(drop, null, jobLane("1"));
    await vi.waitFor(() => expect(revoked).toEqual(["token ghs_late"]));
    await github.perform(drop, null, jobLane("1"));
    await vi.waitFor(() => expect(revoked).toEqual(["token ghs_late", "token ghs_later"]));
  });

  it("is renewed while a job goes on for more than an hour", async () => {
    let now = NOW;
    const { github, gitCalls } = setUp({ now: () => now });
    mints("ghs_first");
    await github.perform(push, null);
    now = NOW + 61 * 60_000;
    mints("ghs_second", { expiresIn: 2 * 3_600_000 });
    await github.perform(push, null);
    expect(gitCalls.map(({ args }) => args.at(-1))).toEqual(["ghs_first", "ghs_second"]);
  });

  it("is shared by acts that are performed at the same time", async () => {
    const { github, gitCalls } = setUp();
    mints("ghs_push");
    await Promise.all([1, 2, 3, 4].map(() => github.perform(push, null)));
    expect(gitCalls.map(({ args }) => args.at(-1))).toEqual(Array(4).fill("ghs_push"));
    expect(revoked).toEqual([]);
  });

  it("whose push failed for now is given up for a fresh one", async () => {
    const failing = vi.fn().mockRejectedValueOnce(new TransientError("reset")).mockResolvedValue(1);
    const unused = async () => ({ status: "done" }) as const;
    const git = { pushRef: failing, deleteRef: failing, pushBranch: unused };
    const { github } = setUp({ git });
    mintsAll("ghs_first", "ghs_second");
    await expect(github.perform(push, null)).rejects.toThrow("reset");
    await github.perform(push, null);
    expect(failing.mock.calls.map((args) => args[3])).toEqual(["ghs_first", "ghs_second"]);
    await vi.waitFor(() => expect(revoked).toEqual(["token ghs_first"]));
  });
});

describe("an idle token", () => {
  it("is revoked after a while, and the next use has a new one", async () => {
    const { github } = setUp({ timing: { idleMs: 20, delaysMs: [] } });
    mintsAll("ghs_first", "ghs_second");
    await gitToken(github);
    await vi.waitFor(() => expect(revoked).toEqual(["token ghs_first"]));
    expect(await gitToken(github)).toBe("ghs_second");
    await github.stop();
  });

  it("does not count as idle while git works with it", async () => {
    const { github } = setUp({ timing: { idleMs: 1, delaysMs: [] } });
    mints("ghs_clone");
    await github.readGit(repo, async (token) => {
      await token();
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(revoked).toEqual([]);
    });
    await vi.waitFor(() => expect(revoked).toEqual(["token ghs_clone"]));
  });
});

describe("a revocation", () => {
  it.each([
    [403, 1],
    [429, 1],
    [500, 4],
  ])(
    "that fails with %d is tried as long as that may pass, and told once",
    async (status, times) => {
      answersRevocations(status);
      const { github, lines } = setUp();
      mints("ghs_read");
      await gitToken(github);
      await github.stop();
      expect(revoked).toEqual(Array.from({ length: times }, () => "token ghs_read"));
      const told = lines.filter((line) =>
        line.includes("a token was not revoked; it ends by itself"),
      );
      expect(told).toHaveLength(1);
      expect(lines.join("\n")).not.toContain("ghs_");
    },
  );

  it("of a token that has ended already is no failure", async () => {
    answersRevocations(401);
    const { github, lines } = setUp();
    mints("ghs_read");
    await gitToken(github);
    await github.stop();
    expect(lines).toEqual([]);
  });

  it("that the host does not offer is told once for all", async () => {
    answersRevocations(404);
    const { github, lines } = setUp({ timing: { idleMs: 1, delaysMs: [] } });
    for (const token of ["ghs_1", "ghs_2", "ghs_3"]) {
      mints(token);
      await gitToken(github);
      await vi.waitFor(() => expect(revoked.at(-1)).toBe(`token ${token}`));
    }
    await github.stop();
    expect(lines).toEqual(["this GitHub host does not revoke tokens; they end by themselves {}"]);
  });

  it("spares a token that the host gave a second time", async () => {
    const { github } = setUp();
    mints("ghs_same", { times: 2 });
    const job = github.forJob("7");
    await gitToken(github);
    await gitToken(job.github);
    job.end();
    await github.stop();
    expect(revoked).toEqual(["token ghs_same"]);
  });

  it("never holds up a stop", async () => {
    const { github } = setUp();
    mints("ghs_read");
    await gitToken(github);
    nock.cleanAll();
    nock(API).delete("/installation/token").delay(20_000).reply(204);
    const started = performance.now();
    await github.stop();
    expect(performance.now() - started).toBeLessThan(10_000);
    await expect(gitToken(github)).rejects.toThrow("stopping");
    nock.abortPendingRequests();
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
    const failure = gitToken(setUp().github);
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(text);
  });

  it("is not remembered", async () => {
    refuses(404, "Not Found");
    const { github } = setUp();
    await expect(gitToken(github)).rejects.toThrow(UserError);
    mints("ghs_later");
    expect(await gitToken(github)).toBe("ghs_later");
  });
});
