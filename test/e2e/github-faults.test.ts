import { expect, test } from "vitest";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { plays, startWorld } from "../support/world.ts";

const script = {
  "do it": {
    calls: [{ name: "write", arguments: { path: "a.txt", content: "a\n" } }],
    report: "Write a file\n\nAs asked.",
  },
};

/** What GitHub may do to one call. */
const FAULTS: Record<string, Fault> = {
  "500": { when: "before", answer: { status: 500, body: { message: "Server Error" } } },
  "502 after it was done": { when: "after", answer: { status: 502, body: "<html>Bad Gateway" } },
  "a dropped connection": { when: "before", answer: "drop" },
  "a connection dropped after it was done": { when: "after", answer: "drop" },
  "429": {
    when: "before",
    answer: {
      status: 429,
      headers: { "retry-after": "1" },
      body: { message: "secondary rate limit" },
    },
  },
  "401": { when: "before", answer: { status: 401, body: { message: "Bad credentials" } } },
};

/** Every kind of call a job makes, as a clean run makes them. */
const CALLS = [
  ["POST", /\/access_tokens$/],
  ["GET", /\/collaborators\/ada\/permission$/],
  ["GET", /^\/repos\/acme\/shop$/],
  ["GET", /\/contents\//],
  ["GET", /\/git\/ref\/heads/],
  ["POST", /\/reactions$/],
  ["POST", /\/issues\/\d+\/comments$/],
  ["GET", /\/issues\/\d+\/comments$/],
  ["PATCH", /\/issues\/comments\/\d+$/],
  ["GET", /info\/refs$/],
  ["POST", /git-upload-pack$/],
  ["POST", /git-receive-pack$/],
  ["POST", /\/git\/commits$/],
  ["POST", /\/git\/refs$/],
  ["GET", /\/pulls$/],
  ["POST", /\/pulls$/],
] as const;

test.each(Object.entries(FAULTS))(
  "%s, once at every call of a job, leaves one board and one pull request",
  { timeout: 120_000 },
  async (name, fault) => {
    // A refused App key is final: that is told, and not tried again.
    const armed = new Set(
      CALLS.filter(([, path]) => name !== "401" || !path.test("/access_tokens")),
    );
    const world = await startWorld({
      model: plays(script),
      fault: (request: RecordedRequest) => {
        for (const call of armed) {
          if (request.method !== call[0] || !call[1].test(request.path)) continue;
          armed.delete(call);
          return fault;
        }
        return undefined;
      },
    });
    await world.say("/codex do it");
    await world.ended();
    expect([...armed]).toEqual([]);
    expect(world.answers()).toHaveLength(1);
    expect(world.pulls()).toHaveLength(1);
    expect(world.github.repository("shop").reactions).toHaveLength(1);
  },
);

test.each([
  ["403 for good", { status: 403, body: { message: "Resource not accessible by integration" } }],
  ["404 for good", { status: 404, body: { message: "Not Found" } }],
  ["422 for good", { status: 422, body: { message: "Validation Failed" } }],
])(
  "%s when the pull request is opened is told on the board",
  { timeout: 60_000 },
  async (_, answer) => {
    const world = await startWorld({
      model: plays(script),
      fault: (request) =>
        request.method === "POST" && request.path.endsWith("/pulls")
          ? { when: "before", answer }
          : undefined,
    });
    await world.say("/codex do it");
    expect(await world.ended()).toMatch(/❌ failed.*pull request/);
    expect(world.pulls()).toEqual([]);
    expect(world.answers()).toHaveLength(1);
  },
);

test("a host without the Git data API gets the commit by git", { timeout: 60_000 }, async () => {
  const world = await startWorld({
    model: plays(script),
    fault: (request) =>
      request.path.endsWith("/git/commits")
        ? { when: "before", answer: { status: 404, body: { message: "Not Found" } } }
        : undefined,
  });
  await world.say("/codex do it");
  await world.ended();
  const [pull] = world.pulls();
  expect(await world.show(`${pull?.head}:a.txt`)).toBe("a");
});

test("where drafts are not offered the pull request is opened ready, and the board does not call it a draft", {
  timeout: 60_000,
}, async () => {
  const world = await startWorld({ model: plays(script), drafts: false });
  await world.say("/codex do it");
  expect(await world.ended()).not.toContain("(draft)");
  expect(world.pulls()).toMatchObject([{ draft: false }]);
});

test("what an admin let out can be allowed again where GitHub refused its pull request", {
  timeout: 60_000,
}, async () => {
  let refuses = true;
  const world = await startWorld({
    model: plays({
      "do it": {
        calls: [{ name: "write", arguments: { path: "CODEOWNERS", content: "* @acme/all\n" } }],
        report: "Name the owners\n\nAs asked.",
      },
    }),
    people: { ada: "write", eve: "admin" },
    fault: ({ method, path }) =>
      refuses && method === "POST" && path.endsWith("/pulls")
        ? { when: "before", answer: { status: 403, body: { message: "Resource not accessible" } } }
        : undefined,
  });
  await world.say("/codex do it");
  const [command = ""] = /^\/codex allow .*$/m.exec(await world.ended()) ?? [];
  const board = () => world.answers().find(({ body }) => body.includes("board:"))?.body ?? "";
  await world.say(command, 1, "eve");
  await expect.poll(board, { timeout: 20_000 }).toMatch(/⛔ blocked.*pull request/);
  refuses = false;
  // A commit has its time in seconds: the next one is another.
  const second = () => Math.floor(Date.now() / 1000);
  const refused = second();
  await expect.poll(second, { timeout: 5000 }).toBeGreaterThan(refused);
  await world.say(command, 1, "eve");
  await expect.poll(board, { timeout: 20_000 }).toContain("✅ done");
  expect(world.pulls()).toHaveLength(1);
  expect(await world.show(`${world.pulls()[0]?.head}:CODEOWNERS`)).toBe("* @acme/all");
});

test("a rate limit that git meets at a fetch or a push holds the whole installation, and the job goes on after it", {
  timeout: 90_000,
}, async () => {
  const met: { service: string; at: number }[] = [];
  const early: string[] = [];
  const world = await startWorld({
    model: plays(script),
    fault: ({ method, path, query }) => {
      const at = performance.now();
      // What was under way when it came does not count, nor does giving a token back.
      const since = at - (met.at(-1)?.at ?? Number.NEGATIVE_INFINITY);
      if (since > 1500 && since < 2800 && method !== "DELETE") early.push(`${method} ${path}`);
      const service = /info\/refs$/.test(path) ? (/service=([\w-]+)/.exec(query)?.[1] ?? "") : "";
      if (service === "" || met.some((each) => each.service === service)) return undefined;
      met.push({ service, at });
      const headers = { "retry-after": "3" };
      return { when: "before", answer: { status: 429, headers, body: { message: "Slow down" } } };
    },
  });
  await world.say("/codex do it");
  await world.ended();
  expect(met.map(({ service }) => service)).toEqual(["git-upload-pack", "git-receive-pack"]);
  expect(early).toEqual([]);
  expect(world.pulls()).toHaveLength(1);
});

test.each([
  ["404", "Not Found", /not installed on acme\/shop/],
  ["422", "There is at least one repository that does not exist", /does not include acme\/shop/],
])(
  "%s when a token is asked for a comment that GitHub just sent is told where it was written, and in the log",
  { timeout: 60_000 },
  async (status, message, words) => {
    let refused = 0;
    const world = await startWorld({
      model: plays(script),
      fault: ({ method, path }) => {
        if (method !== "POST" || !path.endsWith("/access_tokens") || refused > 0) return undefined;
        refused += 1;
        return { when: "before", answer: { status: Number(status), body: { message } } };
      },
    });
    await world.say("/codex do it");
    await expect.poll(() => world.answers(), { timeout: 20_000 }).toHaveLength(1);
    expect(world.answers()[0]?.body).toMatch(words);
    expect(world.log()).toMatch(words);
    expect(world.pulls()).toEqual([]);
  },
);
