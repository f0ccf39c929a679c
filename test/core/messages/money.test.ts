import { expect, test } from "vitest";
import { renderBoard } from "../../../src/core/messages/board.ts";
import { aCommand, aJob } from "../../support/store-rows.ts";

const command = aCommand("018f");
const route = {
  rule: "rule 2 (payments)",
  why: "a path matches src/payments/**",
  choices: [
    { model: "gpt-5.1", effort: "high" },
    { model: "gpt-5-mini", effort: null },
  ] as [{ model: string; effort: string }, { model: string; effort: null }],
  escalation: null,
};

test("a board says before the work by which models it is done, why, and what jobs like it cost", () => {
  const estimate = { median: 400_000, p90: 1_100_000, jobs: 37, alike: "skill" as const };
  const board = renderBoard(command, [aJob("0190", command, { route, estimate })]);
  expect(board).toContain(
    "- Model: `gpt-5.1` (high effort) by rule 2 (payments), because a path matches src/payments/\\*\\*; else `gpt-5-mini`",
  );
  expect(board).toContain(
    "- Expected cost: about $0.40, at most $1.10 in 9 of 10 jobs like it (of 37)",
  );
});

test("a board names the models that answered, not the one that was meant to", () => {
  const used = { microDollars: 2_500, inputTokens: 9, cachedTokens: 0, outputTokens: 1, steps: 2 };
  const spend = { ...used, models: ["gpt-5-mini", "coder"] };
  const board = renderBoard(command, [aJob("0190", command, { state: "running", route, spend })]);
  expect(board).toContain("| `gpt-5-mini`, `coder` | $0.0025 |");
});
