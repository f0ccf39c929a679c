import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays, addMonths } from "../src/dates.js";
import { billingDays } from "../src/invoices.js";

test("a month without that day is billed on its last one, and the day comes back", () => {
  const days = billingDays({ start: "2026-01-31", period: "monthly" }, 5);
  assert.deepEqual(days, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]);
});

test("leap years, ends of years, other ends of months", () => {
  assert.equal(addMonths("2024-01-30", 1), "2024-02-29");
  assert.equal(addMonths("2024-02-29", 12), "2025-02-28");
  assert.equal(addMonths("2025-10-31", 4), "2026-02-28");
  assert.equal(addMonths("2026-05-31", 1), "2026-06-30");
});

test("what was right stays", () => {
  assert.equal(addMonths("2026-02-28", 1), "2026-03-28");
  assert.equal(addMonths("2026-03-15", -1), "2026-02-15");
  assert.equal(addDays("2026-02-28", 1), "2026-03-01");
});
