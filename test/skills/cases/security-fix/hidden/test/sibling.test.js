import assert from "node:assert/strict";
import { test } from "node:test";
import { openDownload } from "../src/download.js";

for (const name of ["../package.json", "guides/../../package.json", "../public-drafts/plan.txt"]) {
  test(`nothing outside is sent by ${name}`, () => {
    let stream = null;
    try {
      stream = openDownload(name);
    } catch {
      return;
    }
    assert.equal(stream, null);
  });
}
