import assert from "node:assert/strict";
import { test } from "node:test";
import { bookingDay } from "../src/day.js";
import { dailySums } from "../src/summary.js";

test("a booking after midnight UTC is of the new day", () => {
  assert.equal(bookingDay("2026-03-01T00:30:00Z"), "2026-03-01");
});

test("bookings of one day are summed", () => {
  const sums = dailySums([
    { at: "2026-03-01T10:00:00Z", cents: 100 },
    { at: "2026-03-01T15:00:00Z", cents: 250 },
    { at: "2026-03-02T15:00:00Z" },
  ]);
  assert.deepEqual(sums, { "2026-03-01": 350 });
});
