/** The day of an instant as the bank books it: in UTC, YYYY-MM-DD. */
export function bookingDay(instant) {
  const date = new Date(instant);
  const month = String(date.getMonth() + 1).padStart(2, "0");
  const day = String(date.getDate()).padStart(2, "0");
  return `${date.getFullYear()}-${month}-${day}`;
}
