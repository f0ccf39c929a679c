import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "../src/ledger.js";

test("a balance is the sum of what was added", () => {
  const ledger = new Ledger();
  ledger.add("ada", 500);
  ledger.add("ada", -200);
  assert.equal(ledger.balance("ada"), 300);
});
