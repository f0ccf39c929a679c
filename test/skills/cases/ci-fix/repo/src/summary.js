import { bookingDay } from "./day.js";

/** The sum of the amounts of each day. */
export function dailySums(bookings) {
  const sums = {};
  for (const { at, cents } of bookings) {
    const day = bookingDay(at);
    if (!Number.isInteger(cents)) {
      console.warn(`left out a booking of ${day} without an amount`);
      continue;
    }
    sums[day] = (sums[day] ?? 0) + cents;
  }
  return sums;
}
