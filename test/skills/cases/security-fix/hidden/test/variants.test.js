import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { test } from "node:test";
import { readPage } from "../src/pages.js";

symlinkSync("../package.json", "public/link.txt");

for (const address of [
  "/%2e%2e/package.json",
  "/..%2fpackage.json",
  "/....//package.json",
  "/..././package.json",
  "/../public-drafts/plan.txt",
  "/%2e%2e%2fpublic-drafts%2fplan.txt",
  "/link.txt",
  "/index.txt%00.html",
  "/%E0%A4%A",
]) {
  test(`nothing outside is read by ${address}`, () => {
    let text = null;
    try {
      text = readPage(address);
    } catch {
      return;
    }
    assert.equal(text, null);
  });
}
