import * as dates from "#dates";

/** The rows of an export; events whose day cannot be read come last, without one. */
export function exportRows(events) {
  const rows = events.map(({ title, day }) => ({ title, date: dates.parse(day) }));
  rows.sort((a, b) => (a.date ?? Infinity) - (b.date ?? Infinity));
  return rows.map(({ title, date }) => [title, date && dates.format("MM/DD/YYYY", date)]);
}
