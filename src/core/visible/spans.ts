import type { StateInline } from "markdown-it";

/**
 * A formula that can hide words: one with a command (`\phantom`, `\color`, `\tiny`, …) or a comment.
 * Between any two neighbouring dollar signs, so that no other way of pairing them finds more.
 */
export function formula(state: StateInline, silent: boolean): boolean {
  if (state.src[state.pos] !== "$") return false;
  const span = /\$((?:\\[\s\S]|[^$\\])*)\$/y;
  span.lastIndex = state.pos;
  const [whole, inside] = span.exec(state.src) ?? [];
  if (whole === undefined || inside === undefined) return false;
  const behind = state.src[state.pos + whole.length] ?? "";
  const display = behind === "$" && state.src[state.pos - 1] === "$";
  // "5 % of $10" is no formula: there the dollar signs stand apart from what is between them.
  const inline = inside === inside.trim() && !/[A-Za-z0-9]/.test(behind);
  const comment = inside.includes("%") && (display || inline);
  if (!comment && !/\\[A-Za-z]/.test(inside)) return false;
  const code = inside.replace(/^`[^`]*`$/, "").includes("`");
  if (code && !display && !inline) return false;
  if (!silent) {
    state.push("formula", "", 0);
    // To whoever takes it for none, code begins in it.
    if (code) state.push("disputed", "", 0);
  }
  state.pos += whole.length;
  return true;
}

/** Characters of an address that are looked at. */
const MAX_URL = 2000;

/**
 * A bare address with a backtick in it, or a backslash at its end: to GitHub they are part of the
 * address, to others they begin code or escape what comes next, so what follows is read differently.
 */
export function oddUrl(state: StateInline, silent: boolean): boolean {
  const begins = /:\/\/|www\./y;
  begins.lastIndex = state.pos;
  const start = begins.exec(state.src)?.[0];
  if (start === undefined) return false;
  const before = state.src.slice(Math.max(0, state.pos - 8), state.pos);
  if (!(start === "://" ? /(?:^|[^a-z])(?:https?|ftp)$/i : /(?:^|[\s*_~(])$/).test(before))
    return false;
  const [address = ""] = /^[^\s<]*/.exec(state.src.slice(state.pos, state.pos + MAX_URL)) ?? [];
  const escapes = address.endsWith("\\") && state.src[state.pos + address.length] === "<";
  if (!address.includes("`") && !escapes && address.length < MAX_URL) return false;
  if (!silent) state.push("disputed", "", 0);
  state.pos += start.length;
  return true;
}

/** Plain text up to the next sign that could mean something, or to an address without a scheme. */
export function plainText(state: StateInline, silent: boolean): boolean {
  const run = /(?:(?!www\.)[^\n!#$%&*+\-:<=>@[\]\\^_`{}~])+/iy;
  run.lastIndex = state.pos;
  const text = run.exec(state.src)?.[0];
  if (text === undefined) return false;
  if (!silent) state.pending += text;
  state.pos += text.length;
  return true;
}

/** The last place of each mark in a text, so that one that never comes is looked for once. */
const lastMarks = new WeakMap<StateInline, Map<string, number>>();

/** `<!X …>`, `<?…?>` and `<![CDATA[…]]>`: markdown-it looks for none of them behind one that did not end. */
export function declaration(state: StateInline, silent: boolean): boolean {
  const kind = /<(?:!\[CDATA\[|\?|![A-Za-z])/y;
  kind.lastIndex = state.pos;
  const start = kind.exec(state.src)?.[0];
  if (start === undefined) return false;
  const mark = start === "<?" ? "?>" : start.endsWith("[") ? "]]>" : ">";
  const marks = lastMarks.get(state) ?? new Map<string, number>();
  lastMarks.set(state, marks);
  const last = marks.get(mark) ?? state.src.lastIndexOf(mark);
  marks.set(mark, last);
  const from = state.pos + start.length;
  if (last < from) return false;
  const end = state.src.indexOf(mark, from) + mark.length;
  if (!silent) state.push("html_inline", "", 0).content = state.src.slice(state.pos, end);
  state.pos = end;
  return true;
}
