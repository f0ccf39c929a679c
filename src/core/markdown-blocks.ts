import MarkdownIt, { type Token } from "markdown-it";
import { fenced, inertInline, inertText, withoutComments } from "./markdown-inline.ts";

/** Ours are the headings up to the third level. */
const TOP_HEADING = 4;

/** What nests deeper than this is left out: every level of a quotation is written again on every line. */
const MAX_NESTING = 20;

/** Reads as GitHub does; links are judged when they are written. */
const parser = new MarkdownIt({ html: true, maxNesting: MAX_NESTING });
parser.validateLink = () => true;

/**
 * Markdown parsed and written anew from its tree. Nothing of the source reaches the result but as
 * escaped text, code, or markup written here, so no trick of spelling survives.
 */
export function inertBlocks(source: string): string {
  return blocks(parser.parse(source, {})).join("\n\n");
}

function blocks(tokens: Token[]): string[] {
  const out: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) continue;
    const end = token.nesting === 1 ? closing(tokens, at) : at;
    const text = block(token, tokens.slice(at + 1, end));
    if (text !== "") out.push(text);
    at = end;
  }
  return out;
}

function block(token: Token, inside: Token[]): string {
  const children = inside[0]?.children ?? [];
  switch (token.type) {
    case "paragraph_open":
      return inertInline(children);
    case "heading_open": {
      const words = inertInline(children, { oneLine: true }).replace(/#+$/, "\\$&");
      const level = Math.min(6, Number(token.tag.slice(1)) + TOP_HEADING - 1);
      return words && `${"#".repeat(level)} ${words}`;
    }
    case "fence":
      return fenced(token.content, token.info.trim().split(/\s/, 1)[0]);
    case "code_block":
      return fenced(token.content);
    case "hr":
      return "___";
    case "html_block":
      return inertText(withoutComments(token.content).trim());
    case "blockquote_open":
      return prefixed(blocks(inside).join("\n\n"), "> ", "> ");
    case "bullet_list_open":
    case "ordered_list_open":
      return list(inside);
    case "table_open":
      return table(inside);
    default:
      throw new Error(`markdown-it gave a block this file does not know: ${token.type}`);
  }
}

function list(tokens: Token[]): string {
  const items: { bullet: string; inside: Token[] }[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) continue;
    const end = closing(tokens, at);
    items.push({ bullet: `${token.info}${token.markup} `, inside: tokens.slice(at + 1, end) });
    at = end;
  }
  const tight = items.every(
    ({ inside }) => inside[0]?.type !== "paragraph_open" || inside[0].hidden,
  );
  return items
    .map(({ bullet, inside }) => {
      const text = blocks(inside).reduce((above, below) => {
        const list = /^(?:[-+*]|1[.)]) /.test(below);
        return `${above}${tight && list ? "\n" : "\n\n"}${below}`;
      }, "");
      return prefixed(text.trim(), bullet, " ".repeat(bullet.length));
    })
    .join(tight ? "\n" : "\n\n");
}

function table(tokens: Token[]): string {
  const rows: string[] = [];
  let cells: string[] = [];
  let rules: string[] = [];
  tokens.forEach((token, at) => {
    if (token.type === "tr_open") {
      cells = [];
      rules = [];
    } else if (token.type === "th_open" || token.type === "td_open") {
      cells.push(inertInline(tokens[at + 1]?.children ?? [], { oneLine: true }));
      rules.push(RULE[String(token.attrGet("style") ?? "").replace("text-align:", "")] ?? "---");
    } else if (token.type === "tr_close") {
      rows.push(`| ${cells.join(" | ")} |`);
      if (rows.length === 1) rows.push(`| ${rules.join(" | ")} |`);
    }
  });
  return rows.join("\n");
}

const RULE: Record<string, string> = { left: ":---", center: ":---:", right: "---:" };

function closing(tokens: Token[], open: number): number {
  const level = tokens[open]?.level;
  let at = open + 1;
  while (at < tokens.length && !(tokens[at]?.nesting === -1 && tokens[at]?.level === level)) at++;
  return at;
}

function prefixed(text: string, first: string, rest: string): string {
  const [line = "", ...below] = text.split("\n");
  return [(first + line).trimEnd(), ...below.map((each) => (rest + each).trimEnd())].join("\n");
}
