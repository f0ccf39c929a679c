import assert from "node:assert/strict";
import { test } from "node:test";
import { eventPath, weekHeading } from "../src/agenda.js";
import { exportRows } from "../src/export.js";

test("the address of an event has its month and its title", () => {
  assert.equal(eventPath({ day: "2026-03-04", title: "Spring Fair" }), "/2026/03/spring-fair");
});

test("a week has a heading", () => {
  assert.match(weekHeading("2026-03-04"), /^Week of \d\d\.\d\d\.2026$/);
});

test("an export is in the order of days", () => {
  const rows = exportRows([
    { title: "b", day: "2026-03-04" },
    { title: "a", day: "2026-01-02" },
  ]);
  assert.deepEqual(rows, [["a", "01/02/2026"], ["b", "03/04/2026"]]);
});
