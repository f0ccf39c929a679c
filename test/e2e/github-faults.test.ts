import { expect, test } from "vitest";
import { plays, startWorld } from "../support/world.ts";

const script = {
  "do it": {
    calls: [{ name: "write", arguments: { path: "a.txt", content: "a\n" } }],
    report: "Write a file\n\nAs asked.",
  },
};

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
