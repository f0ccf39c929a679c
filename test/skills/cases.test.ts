import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plays, startWorld } from "../support/world.ts";
import { applySteps, filesAtStart, loadCases } from "./case.ts";
import { type Bench, judge, openBench } from "./outcome.ts";
import { callsOf, play, repositoryOf } from "./play.ts";

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

test("a good solution of each passes, through the whole job", { timeout: 120_000 }, async () => {
  const world = await startWorld({
    repositories: Object.fromEntries(cases.map((each) => [each.skill, repositoryOf(each)])),
    model: plays(
      Object.fromEntries(
        cases.map((each) => [each.task, { calls: callsOf(each.good), report: each.good.report }]),
      ),
    ),
  });
  const judged = await Promise.all(
    cases.map(async (each) => {
      const played = await play(world, each.skill, each, { flags: `--skill=${each.skill}` });
      return { played, each, verdicts: await judge(each, played, bench) };
    }),
  );
  const problems = judged.flatMap(({ each, played, verdicts }) =>
    verdicts
      .filter(({ problem }) => problem !== null)
      .map((verdict) => ({ case: each.skill, ...verdict, board: played.board })),
  );
  expect(problems).toEqual([]);
  for (const { played, each } of judged) {
    expect(played.spend.steps).toBe(each.good.steps.length + 1);
    // What the controller was told by the skill, and by no other.
    const asked = world.model.requests.find(({ body }) =>
      JSON.stringify(body.messages.at(-1)).includes(JSON.stringify(each.task).slice(1, -1)),
    );
    expect(asked?.body.messages[0]?.content).toContain(`# How to go about this task`);
  }
});

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
