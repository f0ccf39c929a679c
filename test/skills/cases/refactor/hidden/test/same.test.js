import assert from "node:assert/strict";
import { test } from "node:test";
import { invoiceLines } from "../src/invoice.js";
import { receiptText } from "../src/receipt.js";
import { reminderText } from "../src/reminder.js";
import { statementLine } from "../src/statement.js";

test("credits keep their brackets on statements", () => {
  assert.equal(statementLine({ day: "d", cents: -123_400 }), "d ($1,234.00)");
  assert.equal(statementLine({ day: "d", cents: 0 }), "d $0.00");
});

test("credits keep their sign where it stood, elsewhere", () => {
  assert.equal(receiptText({ paidCents: -250_000 }), "Paid: $-2,500.00. Thank you!");
  const item = { name: "Return", cents: -1_000, count: 1 };
  assert.deepEqual(invoiceLines([item]), ["Return: $-10.00", "Total: $-10.00"]);
});

test("borders", () => {
  assert.deepEqual(invoiceLines([]), ["Total: $0.00"]);
  assert.equal(receiptText({ paidCents: 99_999 }), "Paid: $999.99. Thank you!");
  assert.equal(receiptText({ paidCents: 123_456_789 }), "Paid: $1,234,567.89. Thank you!");
  assert.equal(receiptText({}), "Paid: $NaN. Thank you!");
  assert.equal(reminderText({ openCents: 0, paidCents: 5 }), "Paid: $0.05. Thank you!");
  assert.equal(reminderText({ openCents: 123_499, since: "x" }), "Open since x: 1234 dollars");
});
