import { format, parse, startOfWeek } from "#dates";
import { slug } from "#slug";

/** The heading of the week of a day, or "Some day" when the text is no day. */
export function weekHeading(text) {
  const day = parse(text);
  if (day === null) return "Some day";
  return `Week of ${format("DD.MM.YYYY", startOfWeek(day))}`;
}

/** The address of an event. */
export function eventPath(event) {
  const day = parse(event.day);
  return `/${day ? format("YYYY/MM", day) : "undated"}/${slug(event.title)}`;
}
