import { expect, test } from "vitest";
import { plays, startWorld } from "../support/world.ts";

const script = {
  "do it": {
    calls: [{ name: "write", arguments: { path: "a.txt", content: "a\n" } }],
    report: "Write a file\n\nAs asked.",
  },
  more: {
    calls: [{ name: "write", arguments: { path: "b.txt", content: "b\n" } }],
    report: "Write another\n\nAs asked.",
  },
};

test("each published commit carries a check run that says what the pull request says", {
  timeout: 90_000,
}, async () => {
  const world = await startWorld({
    model: plays(script),
    config: 'checks: ["true", "test ! -f b.txt"]\n',
  });
  const runs = () => world.github.repository("shop").checkRuns;
  await world.say("/codex do it");
  await world.ended();
  await expect.poll(() => runs().length, { timeout: 20_000 }).toBe(1);
  const [pull] = world.pulls();
  const head = () => world.show(`--no-patch --format=%H ${pull?.head}`.split(" ").at(-1) ?? "");
  expect(await head()).toContain(runs()[0]?.headSha ?? "nothing");
  expect(runs()[0]).toMatchObject({
    name: "Draftsmith",
    conclusion: "success",
    detailsUrl: expect.stringContaining(`/pull/${pull?.number}`),
    output: { title: "All 2 checks passed", summary: expect.stringContaining("| Exit code |") },
  });

  await world.say("/codex more", pull?.number);
  await world.ended(pull?.number);
  await expect.poll(() => runs().length, { timeout: 20_000 }).toBe(2);
  expect(runs()[1]).toMatchObject({
    conclusion: "failure",
    output: { title: "1 of 2 checks failed" },
  });
  expect(runs()[1]?.headSha).not.toBe(runs()[0]?.headSha);
  expect(runs()[1]?.externalId).not.toBe(runs()[0]?.externalId);
});

test("without the permission there is no check run, and everything else is as ever", {
  timeout: 60_000,
}, async () => {
  const world = await startWorld({ model: plays(script) });
  delete world.github.state.app.permissions.checks;
  await world.say("/codex do it");
  expect(await world.ended()).toContain("✅ done");
  expect(world.pulls()).toHaveLength(1);
  await expect.poll(world.log, { timeout: 20_000 }).toContain("no check runs are written");
  expect(world.github.repository("shop").checkRuns).toEqual([]);
});
