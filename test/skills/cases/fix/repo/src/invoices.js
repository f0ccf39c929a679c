import { addDays, addMonths } from "./dates.js";

const PERIODS = { monthly: 1, quarterly: 3, yearly: 12 };

/** The days on which a subscription is billed, the first one included. */
export function billingDays(subscription, count) {
  const step = PERIODS[subscription.period];
  return Array.from({ length: count }, (_, n) => addMonths(subscription.start, n * step));
}

/** An invoice is due two weeks after it was written. */
export function dueDay(invoiceDay) {
  return addDays(invoiceDay, 14);
}
