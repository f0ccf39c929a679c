import { expect, test } from "vitest";
import { estimate, estimateWords } from "../../src/core/estimate.ts";

test("an estimate names the middle, and what nine of ten cost at most", () => {
  const costs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map((dollars) => dollars * 100_000);
  expect(estimate(costs.toReversed())).toEqual({ median: 550_000, p90: 900_000, jobs: 10 });
  expect(estimate([3, 1, 2, 5, 4])).toEqual({ median: 3, p90: 5, jobs: 5 });
  expect(estimate(Array.from({ length: 200 }, () => 7))).toEqual({ median: 7, p90: 7, jobs: 200 });
});

test("of four jobs nothing is said, nor of costs that are none", () => {
  expect(estimate([1, 2, 3, 4])).toBeNull();
  expect(estimate([1, 2, 3, 4, Number.NaN, -5, Number.POSITIVE_INFINITY])).toBeNull();
  expect(estimate([])).toBeNull();
});

test("the board reads it as a clause that says what it rests on", () => {
  const found = { median: 400_000, p90: 1_100_000, jobs: 37 };
  expect(estimateWords(found, "skill")).toBe(
    "about $0.40, at most $1.10 in 9 of 10 jobs like it (of 37)",
  );
  expect(estimateWords(found, "repository")).toMatch(/jobs of this repository \(of 37\)$/);
  expect(estimateWords(found, "installation")).toMatch(/jobs of this installation \(of 37\)$/);
});
