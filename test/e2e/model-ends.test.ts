import { expect, test } from "vitest";
import type { ScriptedReply } from "../support/model-server.ts";
import { startWorld, taskOf } from "../support/world.ts";

const FIRST: ScriptedReply = {
  toolCalls: [{ name: "write", arguments: { path: "a.txt", content: "a\n" } }],
};

/** A job whose model writes a file and then ends in this way; whoever goes on with it finishes. */
function worldOf(last: ScriptedReply, config = "checks: ['true']\n") {
  return startWorld({
    config,
    model: (request) => {
      if (taskOf(request) !== "do it") return { content: "Finish it\n\nAs asked." };
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      return replies === 0 ? FIRST : last;
    },
  });
}

const limited = {
  headers: { "retry-after": "300" },
  body: { error: { message: "Slow down @all" } },
};

test.each<[string, ScriptedReply, RegExp, RegExp]>([
  [
    "declines",
    { refusal: "I will not touch @ada." },
    /❌ failed.*the model declined to go on: I will not touch/,
    /the model declined to go on: I will not touch/,
  ],
  [
    "is withheld by a filter",
    { content: "", finish: "content_filter" },
    /❌ failed.*the model declined to go on: .*withheld/,
    /the model declined to go on: .*withheld/,
  ],
  [
    "has no quota left",
    { status: 429, body: { error: { message: "No quota", code: "insufficient_quota" } } },
    /❌ failed.*the model's server refused: .*has no quota left/,
    /the model's server refused: .*has no quota left/,
  ],
  [
    "answers nothing",
    { content: "" },
    /❌ failed.*the model answered nothing/,
    /the model answered nothing/,
  ],
])(
  "what stands when the model %s is published as unfinished, and can be gone on with",
  {
    timeout: 60_000,
  },
  async (_, last, told, why) => {
    const world = await worldOf(last);
    await world.say("/codex do it");
    const board = await world.ended();
    expect(board).toMatch(told);
    expect(board).toContain("what stands is published");
    expect(board).not.toContain("no change");
    const [pull] = world.pulls();
    if (!pull) throw new Error(`no pull request: ${board}`);
    expect(board).toMatch(new RegExp(`\`/codex continue [0-9a-f]{8}\` on #${pull.number}`));
    const body = world.pullBody(pull);
    expect(pull.draft).toBe(true);
    expect(body).toMatch(why);
    expect(body).toContain("the work may be unfinished");
    expect(body).not.toMatch(/[^`]@ada/);
    expect(await world.show(`${pull.head}:a.txt`)).toBe("a");
  },
);

test("a job that its model declined halfway goes on from what stands", {
  timeout: 60_000,
}, async () => {
  const world = await worldOf({ refusal: "No." });
  await world.say("/codex do it");
  await world.ended();
  const [pull] = world.pulls();
  if (!pull) throw new Error("no pull request");
  await world.say("/codex continue", pull.number);
  expect(await world.ended(pull.number)).toContain("➖ no change");
  const body = () => world.pullBody(pull);
  await expect.poll(body, { timeout: 15_000 }).toContain("found nothing more to change");
  expect(body()).not.toContain("codex continue");
});

test("a wait that is longer than what is left of a job is not waited, and its board says who asked for it", {
  timeout: 60_000,
}, async () => {
  const world = await worldOf({ status: 429, ...limited }, "limits: { minutes: 2 }\n");
  await world.say("/codex do it");
  const board = await world.ended();
  expect(board).toMatch(
    /💸 over budget.*the model did not answer within the job's time limit: 127\.0\.0\.1:\d+ answered 429/,
  );
  expect(world.model.requests).toHaveLength(2);
  const [pull] = world.pulls();
  if (!pull) throw new Error(`no pull request: ${board}`);
  expect(world.pullBody(pull)).toMatch(/answered 429 Slow down .*not to be asked before .* UTC/);
  expect(world.pullBody(pull)).not.toMatch(/[^`]@all/);
});

test("a model that declines or is refused before it changed anything leaves nothing to go on with", {
  timeout: 60_000,
}, async () => {
  const world = await startWorld({
    model: (request) =>
      taskOf(request) === "do it"
        ? { refusal: "No." }
        : { status: 401, body: { error: { message: "Bad key" } } },
  });
  await world.say("/codex do it");
  expect(await world.ended()).toMatch(/➖ no change.*the model declined: No\./);
  const other = world.issue({ title: "More", body: "More." });
  await world.say("/codex do more", other);
  expect(await world.ended(other)).toMatch(/❌ failed.*refused the key: check/);
  expect(world.pulls()).toEqual([]);
});

test("a job that waits long for its model says until when", { timeout: 60_000 }, async () => {
  const world = await startWorld({ model: () => ({ status: 429, ...limited }) });
  await world.say("/codex do it");
  const board = () => world.answers()[0]?.body;
  await expect
    .poll(board, { timeout: 30_000 })
    .toMatch(/waiting until \d{4}-\d\d-\d\d \d\d:\d\d UTC to try again: .* after 1 try: .*429/);
  expect(world.model.requests).toHaveLength(1);
});
