import assert from "node:assert/strict";
import { test } from "node:test";
import { eventPath, weekHeading } from "../src/agenda.js";
import { exportRows } from "../src/export.js";

test("weeks still begin on Sunday", () => {
  assert.equal(weekHeading("2026-03-04"), "Week of 01.03.2026");
  assert.equal(weekHeading("2026-03-01"), "Week of 01.03.2026");
});

test("what is no day is no reason to fail", () => {
  assert.equal(weekHeading("soon"), "Some day");
  assert.equal(eventPath({ day: "", title: "A" }), "/undated/a");
  const rows = exportRows([
    { title: "later" },
    { title: "a", day: "2026-01-02" },
  ]);
  assert.deepEqual(rows, [["a", "01/02/2026"], ["later", null]]);
});

test("nothing else moved", () => {
  assert.equal(eventPath({ day: "2026-03-04", title: "Fair!" }), "/2026/03/fair-");
});
