import assert from "node:assert/strict";
import { test } from "node:test";
import { bookingDay } from "../src/day.js";
import { dailySums } from "../src/summary.js";

for (const zone of ["America/New_York", "Pacific/Auckland", "UTC"]) {
  test(`days are those of UTC in ${zone}`, () => {
    process.env.TZ = zone;
    assert.equal(bookingDay("2025-12-31T23:59:59Z"), "2025-12-31");
    assert.equal(bookingDay("2026-01-01T00:00:00Z"), "2026-01-01");
    assert.equal(bookingDay(Date.UTC(2026, 6, 9, 12)), "2026-07-09");
  });
}

test("a booking without an amount is left out, and said so", () => {
  const said = [];
  const keep = (...words) => said.push(words.join(" "));
  Object.assign(console, { error: keep, warn: keep, log: keep });
  assert.deepEqual(dailySums([{ at: "2026-03-02T15:00:00Z" }]), {});
  assert.match(said.join(), /left out a booking of 2026-03-02/);
});
