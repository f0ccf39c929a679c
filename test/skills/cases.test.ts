import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadSkills } from "../../src/skills/load.ts";
import { startWorld, taskOf } from "../support/world.ts";
import { applySteps, filesAtStart, loadCases } from "./case.ts";
import { type Bench, judge, openBench } from "./outcome.ts";
import { callsOf, play, repositoryOf } from "./play.ts";

const BUILT_IN = fileURLToPath(new URL("../../src/skills/", import.meta.url));

/** Nine jobs take long on a loaded machine. */
const MINUTE_MS = 60_000;

const cases = await loadCases();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test("each built-in skill has its case", () => {
  const names = cases.map(({ skill }) => skill);
  expect(names).toEqual([
    "changelog",
    "ci-fix",
    "docs",
    "fix",
    "refactor",
    "review",
    "security-fix",
    "test",
    "upgrade-dependencies",
  ]);
});

test("a good solution of each passes, through the whole job", {
  timeout: 5 * MINUTE_MS,
}, async () => {
  const world = await startWorld({
    repositories: Object.fromEntries(cases.map((each) => [each.skill, repositoryOf(each)])),
    model: (request) => {
      const task = taskOf(request);
      const played = cases.find((each) => task.includes(each.task));
      if (!played) return { content: `Review: 100 low\n\n${LONG.join("\n")}` };
      const toolCalls = callsOf(played.good);
      const began = request.messages.some(({ role }) => role === "assistant");
      return began || toolCalls.length === 0 ? { content: played.good.report } : { toolCalls };
    },
  });
  const judged = await Promise.all(
    cases.map(async (each) => {
      const played = await play(world, each.skill, each, {
        flags: `--skill=${each.skill}`,
        withinMs: 4 * MINUTE_MS,
      });
      return { played, each, verdicts: await judge(each, played, bench) };
    }),
  );
  const problems = judged.flatMap(({ each, played, verdicts }) =>
    verdicts
      .filter(({ problem }) => problem !== null)
      .map((verdict) => ({ case: each.skill, ...verdict, board: played.board })),
  );
  expect(problems).toEqual([]);
  const { skills } = await loadSkills(BUILT_IN);
  for (const { played, each } of judged) {
    expect(played.spend.steps, each.skill).toBe(each.good.steps.length > 0 ? 2 : 1);
    const heard = world.model.requests
      .map(({ body }) => JSON.stringify(body.messages))
      .find((messages) => messages.includes(quoted(each.task)));
    const told = skills.find(({ name }) => name === each.skill)?.body.split("\n", 1)[0] ?? "";
    expect(heard, each.skill).toContain(quoted(told));
  }

  // A review has nothing but its words: all of them stand on the board.
  const review = judged.find(({ each }) => each.skill === "review");
  expect(world.at("review").answers(2)).toHaveLength(1);
  for (const line of (review?.each.good.report ?? "").split("\n")) {
    expect(review?.played.board).toContain(line);
  }
  await world.say("/codex --skill=review all of it");
  const board = await world.ended(1, 1, MINUTE_MS * 4);
  expect(board).toContain("➖ no change");
  expect(board).toContain(`finding 100 ${"x".repeat(40)}`);
});

/** Five thousand characters and more. */
const LONG = Array.from({ length: 100 }, (_, at) => `finding ${at + 1} ${"x".repeat(40)}`);

/** A text as it stands in JSON. */
function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

describe.each(cases.map((each) => [each.skill, each] as const))("%s", (_, skillCase) => {
  const before = filesAtStart(skillCase);

  test("has two traps or more", () => {
    expect(Object.keys(skillCase.bad).length).toBeGreaterThanOrEqual(2);
  });

  test.each(Object.entries(skillCase.bad))("catches one that %s", async (_name, bad) => {
    const after = applySteps(before, bad.steps);
    const state = bad.ends ?? (Object.is(after, before) ? "no_change" : skillCase.ends);
    const verdicts = await judge(skillCase, { state, report: bad.report, before, after }, bench);
    const failed = verdicts.filter(({ problem }) => problem !== null);
    expect(
      failed.map(({ criterion }) => criterion),
      JSON.stringify(failed),
    ).toEqual(bad.fails);
  });
});
