import assert from "node:assert/strict";
import { test } from "node:test";
import { openDownload } from "../src/download.js";
import { readPage } from "../src/pages.js";

test("a page is read by its address", () => {
  assert.equal(readPage("/index.txt"), "hello\n");
  assert.equal(readPage("/with%20blank.txt"), "with a blank\n");
});

test("what is not there is null", () => {
  assert.equal(readPage("/nothing.txt"), null);
  assert.equal(openDownload("nothing.txt"), null);
});
