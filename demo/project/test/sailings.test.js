import assert from "node:assert/strict";
import test from "node:test";
import { findSailings, seatsLeft } from "../src/index.js";

const timetable = [
  { id: "N2", from: "Norrby", to: "Skarholm", departs: "2026-06-01T12:00", seats: 80, sold: 79 },
  { id: "N1", from: "Norrby", to: "Skarholm", departs: "2026-06-01T08:15", seats: 80, sold: 10 },
  { id: "S1", from: "Skarholm", to: "Norrby", departs: "2026-06-02T17:40", seats: 80, sold: 80 },
];

test("sailings come in order of departure", () => {
  const found = findSailings(timetable, { from: "Norrby", day: "2026-06-01" });
  assert.deepEqual(found.map((sailing) => sailing.id), ["N1", "N2"]);
});

test("a full sailing is not offered", () => {
  assert.deepEqual(findSailings(timetable, { from: "Skarholm" }), []);
  assert.equal(seatsLeft(timetable[2]), 0);
});
