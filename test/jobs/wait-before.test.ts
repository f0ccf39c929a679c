import { expect, test } from "vitest";
import { waitBefore } from "../../src/jobs/wait-before.ts";

const spend = { steps: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, microDollars: 0 };

test("a server that asks for a second each time is asked a few thousand times in a day, no more", () => {
  let waitedMs = 0;
  let tries = 0;
  for (; waitedMs < 24 * 60 * 60_000; tries += 1) {
    waitedMs += waitBefore({ attempts: 1, spend: { ...spend, waitedMs } }, 1000);
  }
  expect(tries).toBeLessThan(2000);
});

test("what was asked for is waited, an hour at most; else it doubles with each attempt", () => {
  expect(waitBefore({ attempts: 1, spend }, 20_000)).toBe(20_000);
  expect(waitBefore({ attempts: 1, spend }, 1e9)).toBe(3_600_000);
  expect(waitBefore({ attempts: 1, spend }, 0)).toBeLessThan(2600);
  expect(waitBefore({ attempts: 5, spend }, 0)).toBeGreaterThan(23_000);
});
