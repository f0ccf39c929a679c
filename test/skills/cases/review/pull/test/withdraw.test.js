import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "../src/ledger.js";
import { createToday } from "../src/today.js";
import { withdraw } from "../src/withdraw.js";

const bank = { send: async () => ({ ok: true }) };

test("a withdrawal lowers the balance", async () => {
  const ledger = new Ledger();
  ledger.add("ada", 5_000);
  await withdraw({ ledger, bank, today: createToday() }, "ada", 2_000);
  assert.equal(ledger.balance("ada"), 3_000);
});

test("more than the daily limit is refused", async () => {
  const ledger = new Ledger();
  ledger.add("ada", 500_000);
  const parts = { ledger, bank, today: createToday() };
  await withdraw(parts, "ada", 90_000);
  await assert.rejects(withdraw(parts, "ada", 20_000), /daily limit/);
});
