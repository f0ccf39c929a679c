import { expect, test } from "vitest";
import type { Spend } from "../../../src/core/job.ts";
import { cost } from "../../../src/core/messages/words.ts";

const used = { inputTokens: 1, cachedTokens: 0, outputTokens: 1, microDollars: 0 };
const told = (more: Partial<Spend>) => cost({ steps: 2, ...used, ...more });

test("what a job cost, as the board tells it", () => {
  expect(told({ microDollars: 14_000 })).toBe("$0.0140");
  expect(told({ microDollars: 1_234_000 })).toBe("$1.23");
  expect(told({ steps: 0 })).toBe("–");
  expect(told({ microDollars: null })).toBe("price unknown");
  expect(told({ unpriced: true })).toBe("unpriced");
  expect(told({ unpriced: true, microDollars: 400_000 })).toBe("$0.40 and unpriced calls");
  expect(told({ unpriced: true, microDollars: null })).toBe("price unknown");
});

test("money that was spent shows before the first step ended", () => {
  expect(told({ steps: 0, microDollars: 14_000, before: used })).toBe("$0.0140");
});
