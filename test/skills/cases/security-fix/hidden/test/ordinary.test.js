import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { openDownload } from "../src/download.js";
import { readPage } from "../src/pages.js";

test("ordinary pages are read, odd names included", () => {
  assert.equal(readPage("/index.txt"), "hello\n");
  assert.equal(readPage("/guides/a..b.txt"), "a guide\n");
  assert.equal(readPage("/guides"), null);
});

test("ordinary files are sent", async () => {
  assert.equal(await text(openDownload("guides/a..b.txt")), "a guide\n");
  assert.equal(openDownload("none.txt"), null);
});
