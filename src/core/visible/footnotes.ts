import type { StateBlock, StateInline } from "markdown-it";
import { followsOn, indent } from "./lines.ts";

/**
 * `[^name]: text`, which GitHub shows far below or, when nothing refers to it, not at all. Goes on over
 * lines that are indented or follow directly, as in cmark-gfm.
 */
export function footnote(state: StateBlock, start: number, end: number, silent: boolean): boolean {
  if (indent(state, start) >= 4) return false;
  const from = (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0);
  const name = /^\[\^([^\] \t]+)\]:/.exec(state.src.slice(from, state.eMarks[start]))?.[1];
  if (name === undefined) return false;
  if (silent) return true;
  let next = start + 1;
  while (next < end) {
    if (state.isEmpty(next)) {
      const filled = state.skipEmptyLines(next);
      if (filled >= end || indent(state, filled) < 4) break;
      next = filled + 1;
    } else if (indent(state, next) >= 4 || followsOn(state, next, end)) next += 1;
    else break;
  }
  state.line = next;
  footnotesOf(state).add(name.toLowerCase());
  state.push("footnote", "", 0).map = [start, next];
  return true;
}

function footnotesOf({ env }: StateBlock | StateInline): Set<unknown> {
  return env.footnotes instanceof Set ? env.footnotes : new Set();
}

/** `[^name]` of a footnote; and, with a line end in it, what cmark-gfm takes for one and drops. */
export function footnoteMark(state: StateInline, silent: boolean): boolean {
  if (!state.src.startsWith("[^", state.pos)) return false;
  const end = state.md.helpers.parseLinkLabel(state, state.pos);
  if (end < 0) return false;
  const name = state.src.slice(state.pos + 2, end);
  if (!name.includes("\n") && !footnotesOf(state).has(name.toLowerCase())) return false;
  if (!silent) state.push("footnote_mark", "", 0).meta = { dropped: name.includes("\n") ? 1 : 0 };
  state.pos = end + 1;
  return true;
}
