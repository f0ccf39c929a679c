import MarkdownIt, { type Env, type Token } from "markdown-it";
import { belowDefinition, oddDefinition, oddLink } from "./definitions.ts";
import { footnote, footnoteMark } from "./footnotes.ts";
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
parser.inline.ruler.at("text", plainText);
parser.inline.ruler.before("escape", "odd_url", oddUrl);
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
