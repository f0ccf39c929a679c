import { expect, test } from "vitest";
import type { Price } from "../../src/core/model-profile.ts";
import { costOf, fittingOutput, worstCase } from "../../src/core/price.ts";

const plain: Price = { input: 1.25, cached: 0.125, output: 10 };

/** The same numbers in each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Any price, also those that make no sense: cached dearer than not, higher tiers cheaper, parts free. */
function anyPrice(random: () => number): Price {
  const rate = () =>
    random() < 0.15 ? 0 : Number((random() * 80).toFixed(Math.floor(random() * 6)));
  const rates = () => ({
    ...{ input: rate(), cached: rate(), output: rate() },
    ...(random() < 0.5 && { cacheWrite: rate() }),
  });
  const tiers = Array.from({ length: Math.floor(random() * 4) }, () => ({
    above: Math.floor(random() * 3_000),
    ...rates(),
  }));
  return { ...rates(), ...(tiers.length > 0 && { tiers }) };
}

test("a call costs what its tokens cost, in whole micro-dollars, rounded up", () => {
  const usage = { inputTokens: 1_000, cachedTokens: 400, outputTokens: 30 };
  expect(costOf(plain, usage)).toBe(600 * 1.25 + 50 + 300);
  expect(costOf(plain, { ...usage, inputTokens: 401, outputTokens: 0 })).toBe(52);
  expect(costOf(plain, { inputTokens: 0, cachedTokens: 0, outputTokens: 0 })).toBe(0);
});

test("what a binary fraction cannot hold adds no micro-dollar", () => {
  // In floating point 3 × 0.1 is 0.30000000000000004, and 1,100,000 × 1.1 is 1210000.0000000002.
  const price = { input: 1.1, cached: 0.1, output: 0.3 };
  const usage = { inputTokens: 1_100_000, cachedTokens: 0, outputTokens: 0 };
  expect(costOf(price, usage)).toBe(1_210_000);
  expect(costOf(price, { inputTokens: 30, cachedTokens: 30, outputTokens: 10 })).toBe(6);
});

test("a prompt above a tier is priced by that tier as a whole", () => {
  const price = { ...plain, tiers: [{ above: 200_000, input: 2.5, cached: 0.25, output: 15 }] };
  const of = (inputTokens: number) =>
    costOf(price, { inputTokens, cachedTokens: 0, outputTokens: 10 });
  expect(of(200_000)).toBe(250_100);
  expect(of(200_001)).toBe(500_153);
});

test.each([
  { inputTokens: -1, cachedTokens: 0, outputTokens: 1 },
  { inputTokens: 10, cachedTokens: -5, outputTokens: 1 },
  { inputTokens: 10, cachedTokens: 0, outputTokens: -1_000 },
  { inputTokens: Number.NaN, cachedTokens: 0, outputTokens: 1 },
  { inputTokens: 10, cachedTokens: Number.NaN, outputTokens: 1 },
  { inputTokens: Number.POSITIVE_INFINITY, cachedTokens: 0, outputTokens: 1 },
  { inputTokens: 1e99, cachedTokens: 0, outputTokens: 1 },
  { inputTokens: 10, cachedTokens: 0, outputTokens: 1.5 },
])("a usage that cannot be has no cost, rather than a wrong one: %j", (usage) => {
  expect(costOf(plain, usage)).toBeNull();
});

test("more cached tokens than there was prompt make no call cheaper than all of it cached", () => {
  const usage = { inputTokens: 1_000, cachedTokens: 9_000, outputTokens: 0 };
  expect(costOf(plain, usage)).toBe(125);
});

test("tokens that were written to a cache cost what that costs, as input where nobody says", () => {
  const price = { input: 3, cached: 0.3, cacheWrite: 3.75, output: 15 };
  const usage = { inputTokens: 1_000, cachedTokens: 400, cacheWriteTokens: 200, outputTokens: 10 };
  expect(costOf(price, usage)).toBe(400 * 3 + 400 * 0.3 + 200 * 3.75 + 150);
  expect(costOf(plain, usage)).toBe(600 * 1.25 + 50 + 100);
  expect(worstCase(price, 1_000, 10)).toBe(3_750 + 150);
  expect(fittingOutput({ price, promptTokens: 1_000, wanted: 10, least: 1 }, 3_750)).toBeNull();
  expect(costOf(price, { ...usage, cacheWriteTokens: 9_000 })).toBe(400 * 0.3 + 600 * 3.75 + 150);
  expect(costOf(price, { ...usage, cacheWriteTokens: -1 })).toBeNull();
  const tiers = [{ above: 500, input: 6, cached: 0.6, cacheWrite: 7.5, output: 30 }];
  expect(worstCase({ ...price, tiers }, 1_000, 10)).toBe(7_500 + 300);
});

test("no call costs more than its worst case, whatever the prices", () => {
  const random = dice(5);
  for (let round = 0; round < 3_000; round += 1) {
    const price = anyPrice(random);
    const [prompt, output] = [Math.floor(random() * 4_000), Math.floor(random() * 500)];
    const bound = worstCase(price, prompt, output);
    const edges = (price.tiers ?? []).flatMap(({ above }) => [above, above + 1]);
    for (const inputTokens of [0, prompt, Math.floor(random() * (prompt + 1)), ...edges]) {
      if (inputTokens > prompt) continue;
      for (const cachedTokens of [0, inputTokens, Math.floor(random() * (inputTokens + 1))]) {
        const cacheWriteTokens = Math.floor(random() * (inputTokens + 1));
        const usage = { inputTokens, cachedTokens, cacheWriteTokens, outputTokens: output };
        const cost = costOf(price, usage);
        expect(cost, JSON.stringify({ price, prompt, output, inputTokens })).toBeLessThanOrEqual(
          bound,
        );
      }
    }
  }
});

test("a call is made as large as fits, and not one token larger", () => {
  const random = dice(11);
  for (let round = 0; round < 3_000; round += 1) {
    const price = anyPrice(random);
    const call = {
      price,
      promptTokens: Math.floor(random() * 4_000),
      wanted: 1 + Math.floor(random() * 500),
      least: 1 + Math.floor(random() * 50),
    };
    const available = Math.floor(random() * 60_000);
    const fits = fittingOutput(call, available);
    const cost = (output: number) => worstCase(price, call.promptTokens, output);
    if (fits === null) {
      expect(cost(Math.min(call.least, call.wanted))).toBeGreaterThan(available);
      continue;
    }
    expect(fits).toBeGreaterThanOrEqual(Math.min(call.least, call.wanted));
    expect(cost(fits)).toBeLessThanOrEqual(available);
    if (fits < call.wanted) expect(cost(fits + 1)).toBeGreaterThan(available);
    else expect(fits).toBe(call.wanted);
  }
});

test.each([Number.NaN, -1])("nothing fits what is no room: %d", (available) => {
  const call = { price: plain, promptTokens: 0, wanted: 10, least: 1 };
  expect(fittingOutput(call, available)).toBeNull();
  expect(fittingOutput(call, Number.POSITIVE_INFINITY)).toBe(10);
});

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])("a price of %d is none", (input) => {
  const usage = { inputTokens: 1, cachedTokens: 0, outputTokens: 1 };
  expect(() => costOf({ ...plain, input }, usage)).toThrow(/no price/);
  expect(() => worstCase({ ...plain, input }, 1, 1)).toThrow(/no price/);
});

test("the example of docs/budgets.md is right", () => {
  expect(worstCase(plain, 12_000, 16_000)).toBe(175_000);
  const call = { price: plain, promptTokens: 12_000, wanted: 16_000, least: 1_000 };
  expect(fittingOutput(call, 100_000)).toBe(8_500);
  expect(fittingOutput(call, 24_999)).toBeNull();
  expect(costOf(plain, { inputTokens: 11_400, cachedTokens: 10_000, outputTokens: 1_100 })).toBe(
    14_000,
  );
});
