const PATTERN = /^\d{4}-\d{2}-\d{2}$/;

/** The day of a text such as 2026-03-01, or null. */
export function parse(text) {
  if (!PATTERN.test(text)) return null;
  const date = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** A day by a pattern of YYYY, MM and DD. */
export function format(pattern, date) {
  const [year, month, day] = date.toISOString().slice(0, 10).split("-");
  return pattern.replace("YYYY", year).replace("MM", month).replace("DD", day);
}

/** The first day of the week of a date. */
export function startOfWeek(date, { weekStart = "sunday" } = {}) {
  const back = (date.getUTCDay() - (weekStart === "monday" ? 1 : 0) + 7) % 7;
  return new Date(date.getTime() - back * 86_400_000);
}
