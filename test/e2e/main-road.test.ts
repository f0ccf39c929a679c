import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { git } from "../../demo/github/bare.ts";
import {
  MODEL_KEY,
  PRIVATE_KEY,
  plays,
  startWorld,
  taskOf,
  WEBHOOK_SECRET,
} from "../support/world.ts";

const write = (path: string, content: string) => ({ name: "write", arguments: { path, content } });
const shell = (command: string) => ({ name: "shell", arguments: { command } });

test("three tasks become three draft pull requests, and a comment on one becomes a commit on it", {
  timeout: 90_000,
}, async () => {
  const world = await startWorld({
    config: "checks:\n  - test -f README.md\n",
    files: { "a.txt": "one\ntwo\nthree\n" },
    model: plays({
      "first thing": {
        calls: [write("a.txt", "ONE\ntwo\nthree\n")],
        report: "Shout the first line\n\nIt was too quiet. Thanks @ada, fixes #1.",
      },
      "second thing": {
        calls: [write("a.txt", "uno\ntwo\nthree\n")],
        report: "Say the first line in Spanish\n\nAs asked.",
      },
      "third thing": {
        calls: [shell("echo new > b.txt && git add -A && git commit -qm mine && git tag x")],
        report: "Add b\n\nA file.",
      },
      "use a clock": { calls: [write("c.txt", "clock\n")], report: "Use a clock\n\nAn argument." },
    }),
  });
  await world.say("/codex\n- first thing\n- second thing\n- third thing");
  const board = await world.ended();
  expect(world.answers()).toHaveLength(1);
  expect(board).toContain("is done with 3 tasks");
  const pulls = world.pulls();
  expect(pulls.map((pull) => [pull.draft, pull.base])).toEqual([
    [true, "main"],
    [true, "main"],
    [true, "main"],
  ]);

  // One commit each, on the base that was seen, with a trailer for the person who asked.
  for (const pull of pulls) {
    const commits = await git(world.bare, ["log", "--format=%H %P%n%B", `main..${pull.head}`]);
    expect(commits.match(new RegExp(world.baseSha, "g"))).toHaveLength(1);
    expect(commits).toMatch(/Co-authored-by: ada <\d+\+ada@users\.noreply\.127\.0\.0\.1:\d+>/);
    expect(pull.head).toMatch(/^codex\/1-/);
    expect(world.pullBody(pull)).toMatch(/`test -f README.md` \| ✅ 0/);
  }
  const first = pulls.find((pull) => pull.head.includes("first"));
  const second = pulls.find((pull) => pull.head.includes("second"));
  const third = pulls.find((pull) => pull.head.includes("third"));
  if (!first || !second || !third) throw new Error("a pull request is missing");
  expect(await world.show(`${third.head}:b.txt`)).toBe("new");

  // Neighbours: the two that touch one line say so on both sides and on the board.
  await expect
    .poll(() => world.pullBody(first), { timeout: 10_000 })
    .toContain(`#${second.number} (task 2) conflicts with this one on \`a.txt\``);
  await expect
    .poll(() => world.pullBody(second), { timeout: 10_000 })
    .toContain(`#${first.number} (task 1) conflicts`);
  await expect.poll(() => world.pullBody(third)).toContain("merges cleanly");
  await expect
    .poll(() => world.answers()[0]?.body, { timeout: 10_000 })
    .toContain("conflicts with task 2 on `a.txt`");

  // A model's words neither mention nor close.
  expect(world.pullBody(first)).not.toMatch(/(?<![`\w])@ada/);
  expect(world.pullBody(first)).not.toMatch(/fixes #1/i);

  // The same road again, on our own pull request.
  const before = await git(world.bare, ["rev-parse", first.head]);
  await world.say("/codex use a clock argument instead of Date.now", first.number);
  const followUp = await world.ended(first.number);
  expect(await git(world.bare, ["rev-parse", `${first.head}^`])).toBe(before);
  expect(await world.show(`${first.head}:c.txt`)).toBe("clock");
  expect(followUp).toContain((await git(world.bare, ["rev-parse", first.head])).slice(0, 7));
  expect(world.pulls()).toHaveLength(3);
  const prompt = JSON.stringify(world.model.requests.at(-1)?.body.messages);
  expect(prompt).toContain("+ONE");
  // The task that was asked first, by a person; what a model wrote about it is no instruction.
  expect(prompt).toContain("begin earlier task =====\\nfirst thing");
  expect(prompt).toMatch(/begin untrusted text: report of that agent =+\\nShout the first line/);

  // Nothing private is left anywhere.
  await expect.poll(() => git(world.bare, ["for-each-ref", "refs/draftsmith"])).toBe("");
  const tokens = [...world.github.state.tokens.keys()];
  expect(tokens.length).toBeGreaterThan(0);
  const secrets = [MODEL_KEY, WEBHOOK_SECRET, PRIVATE_KEY.split("\n")[3] ?? "", ...tokens];
  const spoken = JSON.stringify([
    [...world.github.repository("shop").comments.values()],
    [...world.github.repository("shop").issues.values()],
    world.model.requests.map((request) => request.body),
    world.log(),
  ]);
  for (const secret of secrets) {
    expect(spoken).not.toContain(secret);
    expect(grep(secret, world.dataDir)).toBe("");
    expect(grep(secret, world.bare)).toBe("");
  }
});

/** Files below a directory that hold a text, also as base64 of a git credential. */
function grep(text: string, dir: string): string {
  try {
    return execFileSync("grep", ["-rlaF", "-e", text, dir], { encoding: "utf8" });
  } catch {
    return ""; // grep found nothing
  }
}

test("on a person's pull request of the repository it opens a draft onto its branch", {
  timeout: 60_000,
}, async () => {
  const world = await startWorld({
    model: plays({
      "add tests": { calls: [write("t.txt", "t\n")], report: "Add tests\n\nFor the branch." },
    }),
  });
  const repository = world.github.repository("shop");
  await git(world.bare, ["branch", "feature", "main"]);
  const at = "2026-03-01T10:00:00Z";
  repository.issues.set(2, {
    id: 902,
    number: 2,
    title: "Feature",
    body: "",
    author: "ada",
    state: "open",
    createdAt: at,
    updatedAt: at,
  });
  repository.pulls.set(2, { id: 903, number: 2, head: "feature", base: "main", draft: false });
  await world.say("/codex add tests", 2);
  await world.ended(2);
  const ours = world.pulls().filter((pull) => pull.number !== 2);
  expect(ours).toMatchObject([{ base: "feature", draft: true }]);
});

test("checks that fail go back to the agent, and what still fails is published saying so", {
  timeout: 60_000,
}, async () => {
  let fixed = false;
  const world = await startWorld({
    config: "checks:\n  - grep -q right a.txt\n",
    files: { "a.txt": "start\n" },
    model: (request) => {
      const task = taskOf(request);
      const users = request.messages.filter((message) => message.role === "user").length;
      const answered = request.messages.at(-1)?.role === "tool";
      if (answered) return { content: `Round ${users}\n\nDone.` };
      if (task.includes("never right")) return { toolCalls: [write("a.txt", `wrong ${users}\n`)] };
      fixed = users > 1;
      return { toolCalls: [write("a.txt", fixed ? "right\n" : "wrong\n")] };
    },
  });
  await world.say("/codex mend it at the second try");
  await world.say("/codex never right");
  const board = await world.ended(1, 2);
  expect(fixed).toBe(true);
  expect(board).toContain("⚠️ done, checks fail");
  const bodies = world.pulls().map((pull) => world.pullBody(pull));
  expect(bodies.filter((body) => /\n✅ .*passed/.test(body))).toHaveLength(1);
  expect(bodies.filter((body) => /⚠️ \*\*.*failed/.test(body.split("\n")[1] ?? ""))).toHaveLength(1);
  expect(
    world.model.requests.some((request) => JSON.stringify(request.body).includes("not all passed")),
  ).toBe(true);
});

test.each([
  [
    "changes nothing",
    { calls: [], report: "Nothing to do\n\nIt is fine as it is." },
    "➖ no change",
    /It is fine as it is/,
  ],
  [
    "touches a workflow",
    { calls: [write(".github/workflows/x.yml", "on: push\n")], report: "Add CI\n\nA workflow." },
    "⛔ blocked",
    /\.github\/workflows\/x\.yml/,
  ],
  [
    "changes our own configuration",
    { calls: [write(".github/codex.yml", "checks: []\n")], report: "Relax\n\nNo checks." },
    "⛔ blocked",
    /\.github\/codex\.yml/,
  ],
])(
  "a job that %s ends in a row that says why, without a pull request",
  { timeout: 60_000 },
  async (_, script, state, reason) => {
    const world = await startWorld({
      config: "checks: ['true']\n",
      model: plays({ "do it": script }),
    });
    await world.say("/codex do it");
    const board = await world.ended();
    expect(board).toContain(state);
    expect(board).toMatch(reason);
    expect(world.pulls()).toEqual([]);
    expect(await git(world.bare, ["for-each-ref", "--format=%(refname)"])).toBe("refs/heads/main");
  },
);
