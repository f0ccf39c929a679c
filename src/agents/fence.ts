/**
 * Sets a text by others off from our own words. The line of `=` is longer than any in the text, so
 * the text cannot end itself; it is derived from the text alone, so the same prompt stays the same.
 */
export function fence(name: string, text: string): string {
  const longest = Math.max(0, ...(text.match(/=+/g) ?? []).map((run) => run.length));
  const line = "=".repeat(Math.max(5, longest + 1));
  const label = name.replace(/[\s=]+/g, " ").trim();
  return `${line} begin ${label} ${line}\n${text.trimEnd()}\n${line} end ${label} ${line}`;
}

/** The first `max` characters of a text; a notice says how much is missing. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max).toWellFormed()}\n[cut: ${text.length - max} more characters]`;
}
