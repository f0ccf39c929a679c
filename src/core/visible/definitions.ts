import type { StateBlock, StateInline } from "markdown-it";
import { followsOn, indent } from "./lines.ts";

const TITLE = String.raw`(?:"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\((?:[^()\\]|\\[\s\S])*\))`;

/** Blanks inside a line; markdown-it knows the first two of them only. */
const GAP = String.raw`[ \t\v\f]`;

/** `[name]: target` with its title, in whose place no other text stands. */
const DEFINITION = new RegExp(
  String.raw`^\[((?:[^[\]\\]|\\[\s\S]){1,999})\]:${GAP}*\n?${GAP}*(<[^<>\n]*>|[^ \t\v\f\n]+)(?:(?:${GAP}+|${GAP}*\n${GAP}*)${TITLE})?${GAP}*(?:\n|$)`,
);

/** `(target "title")` behind the words of a link. */
const TARGET = new RegExp(
  String.raw`\([ \t\v\f\n]*([^ \t\v\f\n]{1,2000})(?:[ \t\v\f\n]+${TITLE})?[ \t\v\f\n]*\)`,
  "y",
);

/** How many parentheses of a target stay open; -1 when one closes that was not opened. */
function openIn(target: string): number {
  if (target.startsWith("<")) return 0;
  let open = 0;
  for (const [sign] of target.matchAll(/\\[\s\S]|[()]/g)) {
    if (sign === "(") open += 1;
    else if (sign === ")") open -= 1;
    if (open < 0) return -1;
  }
  return open;
}

/** A definition with lonely parentheses or rare blanks: cmark-gfm takes it, markdown-it does not. */
export function oddDefinition(
  state: StateBlock,
  start: number,
  end: number,
  silent: boolean,
): boolean {
  const from = (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0);
  if (silent || state.src[from] !== "[" || indent(state, start) >= 4) return false;
  const next = paragraphEnd(state, start, end);
  const text = state.getLines(start, next, state.blkIndent, false).trim();
  const taken = define(state, text, (open, whole) => open > 0 || (open === 0 && isRare(whole)));
  if (taken === 0) return false;
  state.line = start + text.slice(0, taken).replace(/\n$/, "").split("\n").length;
  return true;
}

/**
 * An indented line right below a definition. To markdown-it it is code; to cmark-gfm it goes on with the
 * paragraph that the definition began, so that it may be one more.
 */
export function belowDefinition(
  state: StateBlock,
  start: number,
  end: number,
  silent: boolean,
): boolean {
  if (silent || start === 0 || indent(state, start) < 4 || state.isEmpty(start - 1)) return false;
  const shown = state.tokens.findLast((t) => t.map !== null && t.type !== "reference_definition");
  const above = shown?.map?.[1] ?? 0;
  if (above >= start) return false;
  const next = paragraphEnd(state, start, end);
  let text = state
    .getLines(start, next, state.blkIndent, false)
    .replace(/^[ \t]+/gm, "")
    .trim();
  for (let taken = -1; taken !== 0; text = text.slice(taken).trimStart()) {
    taken = define(state, text, (open) => open >= 0);
  }
  state.line = next;
  if (text === "") return true;
  state.push("paragraph_open", "p", 1).map = [start, next];
  const inline = state.push("inline", "", 0);
  inline.content = text;
  inline.children = [];
  inline.map = [start, next];
  state.push("paragraph_close", "p", -1);
  return true;
}

function paragraphEnd(state: StateBlock, start: number, end: number): number {
  let next = start + 1;
  while (
    next < end &&
    !state.isEmpty(next) &&
    (indent(state, next) >= 4 || followsOn(state, next, end))
  ) {
    next += 1;
  }
  return next;
}

/** Takes a definition from the beginning of a text; gives how long it is, 0 without one. */
function define(
  state: StateBlock,
  text: string,
  fits: (open: number, whole: string) => boolean,
): number {
  const [whole, label = "", target = ""] = DEFINITION.exec(text) ?? [];
  if (whole === undefined || !fits(openIn(target), whole)) return 0;
  const name = state.md.utils.normalizeReference(label);
  const { references = {} } = state.env;
  if (name !== "") references[name] ??= { title: "", href: "" };
  return whole.length;
}

function isRare(text: string): boolean {
  return /[\v\f]/.test(text);
}

/** A link or image with a target of lonely parentheses, or rare blanks around it: all of it goes, for its words may be those of an image. */
export function oddLink(state: StateInline, silent: boolean): boolean {
  const image = state.src.startsWith("![", state.pos);
  if (!image && state.src[state.pos] !== "[") return false;
  const end = state.md.helpers.parseLinkLabel(state, state.pos + (image ? 1 : 0));
  if (end < 0 || state.src[end + 1] !== "(") return false;
  TARGET.lastIndex = end + 1;
  const [whole, target = ""] = TARGET.exec(state.src) ?? [];
  if (whole === undefined || openIn(target) < 0) return false;
  if (openIn(target) === 0 && !isRare(whole)) return false;
  if (!silent) state.push("odd_link", "", 0);
  state.pos = end + 1 + whole.length;
  return true;
}
