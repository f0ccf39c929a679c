const PATTERN = /^\d{4}-\d{2}-\d{2}$/;

/** The day of a text such as 2026-03-01; throws a RangeError for any other. */
export function parse(text) {
  const date = PATTERN.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  if (date === null || Number.isNaN(date.getTime())) throw new RangeError(`no day: ${text}`);
  return date;
}

/** A day by a pattern of YYYY, MM and DD. */
export function format(date, pattern) {
  const [year, month, day] = date.toISOString().slice(0, 10).split("-");
  return pattern.replace("YYYY", year).replace("MM", month).replace("DD", day);
}

/** The first day of the week of a date. */
export function startOfWeek(date, { weekStart = "monday" } = {}) {
  const back = (date.getUTCDay() - (weekStart === "monday" ? 1 : 0) + 7) % 7;
  return new Date(date.getTime() - back * 86_400_000);
}
