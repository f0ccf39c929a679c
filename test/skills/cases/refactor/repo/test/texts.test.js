import assert from "node:assert/strict";
import { test } from "node:test";
import { invoiceLines } from "../src/invoice.js";
import { receiptText } from "../src/receipt.js";
import { reminderText } from "../src/reminder.js";
import { statementLine } from "../src/statement.js";

test("an invoice has a line for each item and the total", () => {
  const items = [
    { name: "Desk", cents: 129_900, count: 2 },
    { name: "Lamp", cents: 4_550, count: 1 },
  ];
  assert.deepEqual(invoiceLines(items), ["Desk: $2,598.00", "Lamp: $45.50", "Total: $2,643.50"]);
});

test("a receipt says what was paid", () => {
  assert.equal(receiptText({ paidCents: 100 }), "Paid: $1.00. Thank you!");
});

test("a statement has the day and the amount", () => {
  assert.equal(statementLine({ day: "2026-01-02", cents: 1_234_567 }), "2026-01-02 $12,345.67");
});

test("a reminder says whole dollars", () => {
  assert.equal(reminderText({ openCents: 199, since: "May" }), "Open since May: 1 dollars");
});
