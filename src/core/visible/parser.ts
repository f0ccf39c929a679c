import MarkdownIt, { type StateBlock, type StateInline, type Token } from "markdown-it";

/** What nests deeper than this is left out: every level of a quotation is written again on every line. */
const MAX_NESTING = 20;

/** Markdown as GitHub reads it; every rule that hides text is a token of its own. */
const parser = new MarkdownIt({ html: true, maxNesting: MAX_NESTING });
// Targets are judged where they are written, and shown as they were spelled.
parser.validateLink = () => true;
parser.normalizeLink = (url) => url;
parser.normalizeLinkText = (url) => url;
// Keeps apart what was escaped, what was an entity and what was written plainly.
parser.core.ruler.disable("text_join");
parser.block.ruler.before("reference", "footnote", footnote, { alt: ["paragraph"] });
parser.inline.ruler.before("escape", "formula", formula);
parser.inline.ruler.before("link", "footnote_mark", footnoteMark);

/** The tokens of a text whose lines end in "\n", and how many link definitions it holds: they leave no token. */
export function parsePage(source: string): { tokens: Token[]; definitions: number } {
  const env = { references: {}, footnotes: new Set<string>() };
  const tokens = parser.parse(source, env);
  return { tokens, definitions: Object.keys(env.references).length };
}

/**
 * `[^name]: text`, which GitHub shows far below or, when nothing refers to it, not at all. Goes on over
 * lines that are indented or follow directly, as in cmark-gfm.
 */
function footnote(state: StateBlock, start: number, end: number, silent: boolean): boolean {
  if (indent(state, start) >= 4) return false;
  const from = (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0);
  const name = /^\[\^([^\s\][]{1,999})\]:/.exec(state.src.slice(from, state.eMarks[start]))?.[1];
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

function indent(state: StateBlock, line: number): number {
  return (state.sCount[line] ?? 0) - state.blkIndent;
}

/** Whether a line goes on with the paragraph above it. */
function followsOn(state: StateBlock, line: number, end: number): boolean {
  if (indent(state, line) < 0) return false;
  return !state.md.block.ruler
    .getRules("paragraph")
    .some((begins) => begins(state, line, end, true));
}

function footnoteMark(state: StateInline, silent: boolean): boolean {
  if (!state.src.startsWith("[^", state.pos)) return false;
  const mark = /\[\^([^\s\][]{1,999})\]/y;
  mark.lastIndex = state.pos;
  const found = mark.exec(state.src);
  if (!found || !footnotesOf(state).has((found[1] ?? "").toLowerCase())) return false;
  if (!silent) state.push("footnote_mark", "", 0);
  state.pos += found[0].length;
  return true;
}

/**
 * A formula that can hide words: one with a command (`\phantom`, `\color`, `\tiny`, …) or a comment.
 * Between any two neighbouring dollar signs, so that no other way of pairing them finds more.
 */
function formula(state: StateInline, silent: boolean): boolean {
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
  if (!silent) state.push("formula", "", 0);
  state.pos += whole.length;
  return true;
}
