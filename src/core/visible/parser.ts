import MarkdownIt, { type Env, type StateBlock, type StateInline, type Token } from "markdown-it";
import { table, tableBelow, tableWithin } from "./table.ts";

/** What nests deeper than this is left out: every level of a quotation is written again on every line. */
const MAX_NESTING = 20;

/** Markdown as GitHub reads it; every rule that hides text gives a token of its own. */
const parser = new MarkdownIt({ html: true, maxNesting: MAX_NESTING });
// Targets are judged where they are written, and shown as they were spelled.
parser.validateLink = () => true;
parser.normalizeLink = (url) => url;
parser.normalizeLinkText = (url) => url;
// Keeps apart what was escaped, what was an entity and what was written plainly.
parser.core.ruler.disable("text_join");
parser.block.ruler.disable("table");
parser.block.ruler.before("lheading", "gfm_table", table, { alt: ["paragraph", "reference"] });
parser.block.ruler.before("html_block", "table_below", tableBelow);
parser.block.ruler.before("reference", "footnote", footnote, {
  alt: ["paragraph", "reference", "blockquote", "list"],
});
parser.block.ruler.after("reference", "odd_definition", oddDefinition);
parser.inline.ruler.before("escape", "formula", formula);
parser.inline.ruler.before("link", "footnote_mark", footnoteMark);
parser.inline.ruler.after("image", "odd_link", oddLink);
parser.inline.ruler.before("html_inline", "declaration", declaration);

/** The tokens of a text whose lines end in "\n", and how many link definitions it holds: they leave no token. */
export function parsePage(source: string): { tokens: Token[]; definitions: number } {
  const references = {};
  const env: Env = { references, footnotes: new Set<string>() };
  const tokens = parser.parse(source, env);
  return { tokens: lateTables(tokens, env), definitions: Object.keys(references).length };
}

/** Finds tables whose first row is indented so far that markdown-it takes it for more of a paragraph. */
function lateTables(tokens: Token[], env: Env): Token[] {
  const out: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) continue;
    const text = token.type === "paragraph_open" ? (tokens[at + 1]?.content ?? "") : "";
    const lines = text.split("\n").map((line) => line.replace(/^[ \t]+/, ""));
    if (tableWithin(lines) === -1) {
      out.push(token);
      continue;
    }
    for (const each of parser.parse(lines.join("\n"), env)) {
      each.level += token.level;
      out.push(each);
    }
    at += 2;
  }
  return out;
}

/**
 * `[^name]: text`, which GitHub shows far below or, when nothing refers to it, not at all. Goes on over
 * lines that are indented or follow directly, as in cmark-gfm.
 */
function footnote(state: StateBlock, start: number, end: number, silent: boolean): boolean {
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

function indent(state: StateBlock, line: number): number {
  return (state.sCount[line] ?? 0) - state.blkIndent;
}

/** Whether a line goes on with the paragraph above it. */
function followsOn(state: StateBlock, line: number, end: number): boolean {
  return !state.md.block.ruler
    .getRules("paragraph")
    // No table begins in a line that only follows.
    .some((begins) => begins !== table && begins(state, line, end, true));
}

const TITLE = String.raw`(?:"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\((?:[^()\\]|\\[\s\S])*\))`;

/** `[name]: target` with its title, in whose place no other text stands. */
const DEFINITION = new RegExp(
  String.raw`^\[((?:[^[\]\\]|\\[\s\S]){1,999})\]:[ \t]*\n?[ \t]*([^ \t\n]+)(?:(?:[ \t]+|[ \t]*\n[ \t]*)${TITLE})?[ \t]*(?:\n|$)`,
);

/** `(target "title")` behind the words of a link. */
const TARGET = new RegExp(
  String.raw`\([ \t\n]*([^ \t\n]{1,2000})(?:[ \t\n]+${TITLE})?[ \t\n]*\)`,
  "y",
);

/** Whether a target has more opening parentheses than closing ones: cmark-gfm takes it, markdown-it does not. */
function isOdd(target: string): boolean {
  let open = 0;
  for (const [sign] of target.matchAll(/\\[\s\S]|[()]/g)) {
    if (sign === "(") open += 1;
    else if (sign === ")") open -= 1;
    if (open < 0) return false;
  }
  return open > 0;
}

function oddDefinition(state: StateBlock, start: number, end: number, silent: boolean): boolean {
  const from = (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0);
  if (silent || state.src[from] !== "[" || indent(state, start) >= 4) return false;
  let next = start + 1;
  while (next < end && !state.isEmpty(next) && followsOn(state, next, end)) next += 1;
  const text = state.getLines(start, next, state.blkIndent, false).trim();
  const [whole, label = "", target = ""] = DEFINITION.exec(text) ?? [];
  if (whole === undefined || !isOdd(target)) return false;
  const name = state.md.utils.normalizeReference(label);
  const { references = {} } = state.env;
  if (name !== "") references[name] ??= { title: "", href: "" };
  state.line = start + whole.replace(/\n$/, "").split("\n").length;
  return true;
}

/** A link or image with such a target: all of it goes, for its words may be those of an image. */
function oddLink(state: StateInline, silent: boolean): boolean {
  const image = state.src.startsWith("![", state.pos);
  if (!image && state.src[state.pos] !== "[") return false;
  const end = state.md.helpers.parseLinkLabel(state, state.pos + (image ? 1 : 0));
  if (end < 0 || state.src[end + 1] !== "(") return false;
  TARGET.lastIndex = end + 1;
  const [whole, target = ""] = TARGET.exec(state.src) ?? [];
  if (whole === undefined || !isOdd(target)) return false;
  if (!silent) state.push("odd_link", "", 0);
  state.pos = end + 1 + whole.length;
  return true;
}

/** `[^name]` of a footnote; and, with a line end in it, what cmark-gfm takes for one and drops. */
function footnoteMark(state: StateInline, silent: boolean): boolean {
  if (!state.src.startsWith("[^", state.pos)) return false;
  const end = state.md.helpers.parseLinkLabel(state, state.pos);
  if (end < 0) return false;
  const name = state.src.slice(state.pos + 2, end);
  if (!name.includes("\n") && !footnotesOf(state).has(name.toLowerCase())) return false;
  if (!silent) state.push("footnote_mark", "", 0).meta = { dropped: name.includes("\n") ? 1 : 0 };
  state.pos = end + 1;
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

/** The last place of each mark in a text, so that one that never comes is looked for once. */
const lastMarks = new WeakMap<StateInline, Map<string, number>>();

/** `<!X …>`, `<?…?>` and `<![CDATA[…]]>`: markdown-it looks for none of them behind one that did not end. */
function declaration(state: StateInline, silent: boolean): boolean {
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
