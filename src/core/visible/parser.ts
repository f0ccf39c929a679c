import MarkdownIt, { type Env, type Token } from "markdown-it";
import { belowDefinition, oddDefinition, oddLink } from "./definitions.ts";
import { footnote, footnoteMark } from "./footnotes.ts";
import { lazyLines } from "./lines.ts";
import { declaration, formula, oddUrl, plainText } from "./spans.ts";
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
parser.block.ruler.before("code", "below_definition", belowDefinition);
const paragraph = ruleOf("paragraph");
parser.block.ruler.at("paragraph", (state, start, end, silent) => {
  const taken = paragraph(state, start, end, silent);
  const open = state.tokens.at(-3);
  if (open?.type === "paragraph_open") open.meta = { lazy: lazyLines(state, start) };
  return taken;
});
const htmlBlock = ruleOf("html_block");
parser.block.ruler.at(
  "html_block",
  (state, start, end, silent) => {
    const from = (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0);
    // To GitHub a declaration in lower case begins no block.
    return (
      !/^<![a-z]/.test(state.src.slice(from, from + 3)) && htmlBlock(state, start, end, silent)
    );
  },
  { alt: ["paragraph", "reference", "blockquote"] },
);
parser.inline.ruler.at("text", plainText);
parser.inline.ruler.before("escape", "odd_url", oddUrl);
parser.inline.ruler.before("escape", "formula", formula);
parser.inline.ruler.after("image", "odd_link", oddLink);
// A mark that a target follows is the words of a link.
parser.inline.ruler.after("odd_link", "footnote_mark", footnoteMark);
parser.inline.ruler.before("html_inline", "declaration", declaration);

/** The parser's own rule of this name. */
function ruleOf(name: string) {
  const { block } = new MarkdownIt({ html: true });
  block.ruler.enableOnly([name]);
  const [rule] = block.ruler.getRules("");
  if (!rule) throw new Error(`markdown-it has no rule ${name}`);
  return rule;
}

/** The tokens of a text whose lines end in "\n", and how many link definitions it holds: they leave no token. */
export function parsePage(source: string): { tokens: Token[]; definitions: number } {
  const references = {};
  const env: Env = { references, footnotes: new Set<string>() };
  const tokens = parser.parse(source, env);
  return { tokens: lateTables(tokens, env), definitions: Object.keys(references).length };
}

/**
 * Finds tables whose first row is indented so far that markdown-it takes it for more of a paragraph. A line
 * that stands outside of the list or quotation it goes on with begins no table.
 */
function lateTables(tokens: Token[], env: Env): Token[] {
  const out: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) continue;
    const text = token.type === "paragraph_open" ? (tokens[at + 1]?.content ?? "") : "";
    const lines = text.split("\n").map((line) => line.replace(/^[ \t]+/, ""));
    const lazy: Set<unknown> = token.meta?.lazy instanceof Set ? token.meta.lazy : new Set();
    const inside = tableWithin(lines, (at) => !lazy.has(at));
    if (inside === -1) {
      out.push(token);
      continue;
    }
    const again = parser.parse(lines.join("\n"), env);
    const found = again.some(
      ({ type, level, map }) => type === "table_open" && level === 0 && map?.[0] === inside,
    );
    if (!found || tableWithin(lines, (at) => lazy.has(at)) !== -1) {
      // What comes next would have to be read in two ways.
      tokens[at + 1]?.children?.unshift(new MarkdownIt.Token("disputed", "", 0));
      out.push(token);
      continue;
    }
    for (const each of again) {
      each.level += token.level;
      out.push(each);
    }
    at += 2;
  }
  return out;
}
