import assert from "node:assert/strict";
import { test } from "node:test";
import { billingDays, dueDay } from "../src/invoices.js";
import { trialEnd } from "../src/trial.js";

test("a monthly subscription is billed on the same day of each month", () => {
  const days = billingDays({ start: "2026-01-15", period: "monthly" }, 3);
  assert.deepEqual(days, ["2026-01-15", "2026-02-15", "2026-03-15"]);
});

test("a yearly one runs over the end of the year", () => {
  const days = billingDays({ start: "2025-12-01", period: "yearly" }, 2);
  assert.deepEqual(days, ["2025-12-01", "2026-12-01"]);
});

test("an invoice is due after two weeks, into the next month if need be", () => {
  assert.equal(dueDay("2026-01-31"), "2026-02-14");
});

test("a trial of a month ends on the same day of the next", () => {
  assert.equal(trialEnd("2026-04-10", 1), "2026-05-10");
});
