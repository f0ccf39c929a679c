/** The balances of accounts, in cents. */
export class Ledger {
  #balances = new Map();

  balance(account) {
    return this.#balances.get(account) ?? 0;
  }

  add(account, cents) {
    this.#balances.set(account, this.balance(account) + cents);
  }
}
