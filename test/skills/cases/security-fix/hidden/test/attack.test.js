import assert from "node:assert/strict";
import { test } from "node:test";
import { readPage } from "../src/pages.js";

function refused(address) {
  let text = null;
  try {
    text = readPage(address);
  } catch {
    return;
  }
  assert.equal(text, null, address);
}

for (const address of ["/../package.json", "/guides/../../package.json", "../src/pages.js"]) {
  test(`nothing outside is read by ${address}`, () => refused(address));
}
