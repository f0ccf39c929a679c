/** What was taken out today, by account. */
export function createToday(now = Date.now) {
  let day = null;
  let totals = new Map();

  function roll() {
    const current = new Date(now()).toISOString().slice(0, 10);
    if (current === day) return;
    day = current;
    totals = new Map();
  }

  return {
    total(account) {
      roll();
      return totals.get(account) ?? 0;
    },
    count(account, cents) {
      roll();
      totals.set(account, (totals.get(account) ?? 0) + cents);
    },
  };
}
