/** A longer run of equals signs says no more, and would make each fence as long. */
const LONGEST_RUN = 40;

/** Signs that look like an equals sign, also with marks above or below them. */
const EQUALS =
  /(?:[=\u1400\u2017\u207C\u208C\u2261\u2263\u2550\u2630\u268C\u2A75\u2A76\u2E40\u3013\u30A0\uA78A\uFE66\uFF1D\u{1F7F0}]\p{M}*){3,}/gu;

/** Marks by which some models' servers tell who speaks. */
const SPEAKERS =
  /<([|\uFF5C][\w\u2581-]{1,40}[|\uFF5C]|\/?(?:start|end)_of_turn|<\/?SYS>)>|\[(\/?INST)\]/g;

/**
 * Sets a text by others off from our own words. The line of `=` is longer than any in the text, so
 * the text cannot end itself; lines in it that look like one are quoted. It is derived from the text
 * alone, so the same prompt stays the same.
 */
export function fence(name: string, text: string): string {
  const inside = quoted(text);
  const longest = Math.max(0, ...(inside.match(/=+/g) ?? []).map((run) => run.length));
  const line = "=".repeat(Math.max(5, longest + 1));
  const label = name
    .normalize("NFKC")
    .replace(EQUALS, " ")
    .replace(/[\s=\p{C}]+/gu, " ")
    .trim()
    .slice(0, 300)
    .toWellFormed();
  return `${line} begin ${label} ${line}\n${inside.trimEnd()}\n${line} end ${label} ${line}`;
}

/** A text in which nothing can be taken for a fence or for another speaker. */
function quoted(text: string): string {
  return text
    .replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, "\n")
    .replace(EQUALS, (run) => "=".repeat(Math.min(LONGEST_RUN, run.length)))
    .replace(SPEAKERS, (_mark, inAngles?: string, inBrackets?: string) =>
      inAngles === undefined ? `[ ${inBrackets} ]` : `< ${inAngles} >`,
    )
    .split("\n")
    .map((line) => (looksLikeFence(line) ? `| ${line}` : line))
    .join("\n");
}

/** Whether a line begins with signs, three equals signs among them, and goes on with a word. */
function looksLikeFence(line: string): boolean {
  const signs = /^[^\p{L}\p{N}]*/u.exec(line)?.[0] ?? "";
  if (signs.length === line.length) return false;
  return signs.split("=").length > 3;
}

/** The first `max` characters of a text; a notice says how much is missing. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max).toWellFormed()}\n[cut: ${text.length - max} more characters]`;
}
