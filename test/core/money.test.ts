import { expect, test } from "vitest";
import { dollars, money } from "../../src/core/money.ts";

test.each([
  ["2", 2_000_000],
  ["$2.50", 2_500_000],
  ["$ 2.5", 2_500_000],
  [" 0.000001 ", 1],
  [".5", 500_000],
  ["2.", 2_000_000],
  ["007", 7_000_000],
  ["1.1000000000", 1_100_000],
  ["1000000", 1_000_000_000_000],
  [2, 2_000_000],
  [0.1, 100_000],
  [4.35, 4_350_000],
])("%s is an amount", (text, microDollars) => {
  expect(dollars(text)).toEqual({ ok: true, microDollars });
});

test.each([
  ["0", /above 0/],
  ["$0.00", /above 0/],
  [0, /above 0/],
  ["NaN", /digits/],
  [Number.NaN, /digits/],
  ["Infinity", /digits/],
  [Number.POSITIVE_INFINITY, /digits/],
  ["1e99", /digits/],
  [1e99, /digits/],
  [1e-7, /digits/],
  ["9".repeat(400), /at most 1000000/],
  ["1000000.01", /at most 1000000/],
  ["-1", /digits/],
  [-1, /digits/],
  ["0.0000001", /6 decimals/],
  ["1.1234567", /6 decimals/],
  ["1,000", /digits/],
  ["2,50", /digits/],
  ["2 EUR", /digits/],
  ["٢", /digits/],
  ["", /digits/],
  ["$", /digits/],
  [".", /digits/],
  ["0x10", /digits/],
  ["1_000", /digits/],
])("%s is refused with the remedy", (text, problem) => {
  const read = dollars(text);
  expect(read.ok ? read : read.problem).toMatch(problem);
});

test.each([
  [0, "$0.0000"],
  [1, "under $0.0001"],
  [12_345, "$0.0123"],
  [99_999, "$0.1000"],
  [400_000, "$0.40"],
  [2_000_000, "$2.00"],
  [1_234_567_890, "$1234.57"],
])("%d micro-dollars read %s", (amount, text) => {
  expect(money(amount)).toBe(text);
});
