import assert from "node:assert/strict";
import { test } from "node:test";
import { trialEnd } from "../src/trial.js";

test("a trial from the end of a month ends with the month", () => {
  assert.equal(trialEnd("2026-08-31", 1), "2026-09-30");
  assert.equal(trialEnd("2025-11-30", 3), "2026-02-28");
});
