import { payOut } from "./bank.js";

const DAILY_LIMIT_CENTS = 100_000;

/** Takes money out of an account and pays it out. */
export async function withdraw({ ledger, bank, today }, account, cents) {
  if (cents > ledger.balance(account)) throw new Error("not enough money");
  if (today.total(account) + cents > DAILY_LIMIT_CENTS) throw new Error("daily limit");
  ledger.add(account, -cents);
  today.count(account, cents);
  await payOut(bank, account, cents);
}

/** Pays out several; resolves when all are done. */
export async function withdrawAll(parts, orders) {
  orders.forEach(async ({ account, cents }) => {
    await withdraw(parts, account, cents);
  });
  return orders.length;
}
