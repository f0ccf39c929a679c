import MarkdownIt, { type Token } from "markdown-it";

/** A `/codex` line of a text with everything that hangs on it, as Markdown source. */
export interface CommandBlock {
  /** What stands behind `/codex` on its line. */
  line: string;
  /** The lines of the same paragraph below it. */
  more: string;
  /** Top-level items of the lists that follow directly, without their bullets. */
  items: string[];
  /** The lists, quotations and code blocks that follow directly, whole. */
  details: string;
}

/** Up to three spaces are no indentation in Markdown; a fourth makes code. */
const COMMAND_LINE = /^( {0,3})\/codex(?=\s|$)/;
const MENTION_LINE = /^ {0,3}@/m;

/** Whether a line begins by naming an account, which may be the App's. */
export function mentions(body: string): boolean {
  return MENTION_LINE.test(body);
}

/** The beginning of a line that speaks to us: `/codex`, or the name of the App's account with `@`. */
function commandLine(login: string | null): RegExp {
  const slug = /^([a-z\d-]+)\[bot\]$/i.exec(login ?? "")?.[1];
  if (slug === undefined) return COMMAND_LINE;
  return new RegExp(
    String.raw`^( {0,3})(?:\/codex(?=\s|$)|@${slug}(?:\[bot\])?(?:[,:]|(?=\s|$)))`,
    "i",
  );
}

/** Stands for the command of a numbered line while the comment is parsed; private use, so no one's text. */
const MARK = /^\uE000(\d+)\uE001/;

/** markdown-it and not mdast: hostile comments of 64 kB took micromark up to 50 s, and this one 0.1 s. */
const parser = new MarkdownIt("commonmark");

/**
 * Finds the commands of a text whose lines end in "\n"; `mention` is the login of the App. A command is top-level text: not in a
 * quotation, a list item, code, an HTML block, comment or element that folds, quotes or strikes, nor in a
 * link or emphasis. A line that starts with `/codex` right below a list item is meant as a command,
 * though Markdown takes it as the item's next line; right below a quotation it stays quoted.
 */
export function commandBlocks(body: string, mention: string | null = null): CommandBlock[] {
  const lines = body.split("\n");
  const start = commandLine(mention);
  if (!lines.some((line) => start.test(line))) return [];
  const first = locate(lines, start);
  if (first.belowItems.size === 0) return blocksOf(lines, first, start);
  const apart = lines.flatMap((line, at) => (first.belowItems.has(at) ? ["", line] : [line]));
  return blocksOf(apart, locate(apart, start), start);
}

interface Located {
  tokens: Token[];
  /** Line numbers of commands in top-level text. */
  commands: Set<number>;
  /** Line numbers of commands that Markdown drew into a list item above them. */
  belowItems: Set<number>;
}

function locate(lines: string[], start: RegExp): Located {
  const marked = lines.map((line, at) =>
    line.replaceAll("\uE000", "?").replace(start, `$1\uE000${at}\uE001`),
  );
  const tokens = parser.parse(marked.join("\n"), {});
  const commands = new Set<number>();
  const belowItems = new Set<number>();
  let quotes = 0;
  let lists = 0;
  let html = 0;
  for (const token of tokens) {
    if (token.type === "blockquote_open" || token.type === "blockquote_close")
      quotes += token.nesting;
    if (/_list_(open|close)$/.test(token.type)) lists += token.nesting;
    if (token.type === "html_block") html = htmlDepth(html, token.content);
    let startsLine = true;
    for (const child of token.children ?? []) {
      if (child.type === "html_inline") html = htmlDepth(html, child.content);
      const mark =
        startsLine && child.type === "text" && child.level === 0 ? MARK.exec(child.content) : null;
      startsLine = child.type === "softbreak" || child.type === "hardbreak";
      if (!mark || quotes > 0 || html > 0) continue;
      const at = Number(mark[1]);
      if (lists === 0) commands.add(at);
      else if (/^[/@]/.test(lines[at] ?? "")) belowItems.add(at);
    }
  }
  return { tokens, commands, belowItems };
}

/** Elements whose text is folded away, quoted, code or struck out; a tag may open here and close blocks later. */
const HIDING = /<!--[\s\S]*?-->|<(\/?)(?:details|blockquote|pre|code|q|s|del)(?=[\s>/])[^<>]*>/gi;

function htmlDepth(before: number, html: string): number {
  let depth = before;
  for (const [tag, slash] of html.matchAll(HIDING)) {
    if (!tag.startsWith("<!")) depth = Math.max(0, depth + (slash === "/" ? -1 : 1));
  }
  return depth;
}

function blocksOf(lines: string[], { tokens, commands }: Located, start: RegExp): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  tokens.forEach((token, index) => {
    if (token.level !== 0 || !token.map || !/^(paragraph|heading)_open$/.test(token.type)) return;
    const [from] = token.map;
    // The underline of a heading ("---" below a line) is no text.
    const to = token.type === "heading_open" ? token.map[1] - 1 : token.map[1];
    const starts = range(from, to).filter((at) => commands.has(at));
    starts.forEach((at, nth) => {
      const next = starts[nth + 1];
      const hanging = next === undefined ? followers(tokens, index + 3) : [];
      blocks.push({
        line: (lines[at] ?? "").replace(start, "").trim(),
        more: lines
          .slice(at + 1, next ?? to)
          .map((line) => line.trim())
          .join("\n"),
        items: itemsOf(tokens, hanging).map(([first, past]) => unbullet(lines.slice(first, past))),
        details: source(lines, hanging, tokens),
      });
    });
  });
  return blocks;
}

const HANGS = /^(bullet_list_open|ordered_list_open|blockquote_open|fence|code_block)$/;

/** Indices of the blocks that directly follow and belong to the command above them. */
function followers(tokens: Token[], from: number): number[] {
  const found: number[] = [];
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at];
    if (token?.level !== 0 || token.nesting < 0) continue;
    if (!HANGS.test(token.type)) break;
    found.push(at);
  }
  return found;
}

/** Line ranges of the top-level items, as long as list follows list. */
function itemsOf(tokens: Token[], hanging: number[]): [number, number][] {
  const items: [number, number][] = [];
  for (const start of hanging) {
    if (!tokens[start]?.type.endsWith("_list_open")) break;
    for (let at = start + 1; at < tokens.length && tokens[at]?.level !== 0; at++) {
      const token = tokens[at];
      if (token?.type === "list_item_open" && token.level === 1 && token.map) items.push(token.map);
    }
  }
  return items;
}

/** The text of a list item: its bullet gone, the lines below moved left by as much. */
function unbullet(lines: string[]): string {
  const [first = "", ...rest] = lines.map(expandIndent);
  const [bullet = "", marker = ""] =
    /^(\s*(?:[-+*]|\d{1,9}[.)]))(?: {1,4}(?=\S)| |$)/.exec(first) ?? [];
  const width = bullet === marker ? marker.length + 1 : bullet.length;
  const below = rest.map((line) =>
    line.slice(Math.min(width, line.length - line.trimStart().length)),
  );
  return [first.slice(bullet.length), ...below].join("\n").trim();
}

/** Tabs in front of a line and behind its bullet as the spaces they stand for. */
function expandIndent(line: string): string {
  const [start] = /^[ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)?/.exec(line) ?? [""];
  let out = "";
  for (const character of start)
    out += character === "\t" ? " ".repeat(4 - (out.length % 4)) : character;
  return out + line.slice(start.length);
}

function source(lines: string[], hanging: number[], tokens: Token[]): string {
  const [from] = tokens[hanging[0] ?? -1]?.map ?? [0];
  const [, to] = tokens[hanging.at(-1) ?? -1]?.map ?? [0, 0];
  return lines.slice(from, to).join("\n").trimEnd();
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, offset) => from + offset);
}
