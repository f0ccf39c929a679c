import assert from "node:assert/strict";
import { test } from "node:test";
import { print } from "../src/print.js";

test("rows become lines", () => {
  assert.equal(print([{ a: 1, b: 2 }]), "1 | 2");
});
