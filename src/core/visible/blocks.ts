import type { Token } from "markdown-it";
import { type Reading, visibleInline, visibleWords } from "./inline.ts";

/** Languages a fence may name; any other word there shows nowhere. */
const LANGUAGES = new Set(
  (
    "asm bash bat c cmake console cpp cs csharp css csv cxx dart diff dockerfile elixir erlang fish fsharp go " +
    "gradle graphql groovy h haskell hcl hpp html http ini java javascript jinja js json json5 jsonc jsx julia " +
    "kotlin kt latex less lisp log lua makefile markdown md mjs nginx nix objc ocaml patch perl php plaintext " +
    "powershell prolog proto protobuf ps1 py python r rb regex rs ruby rust sass scala scheme scss sh shell " +
    "shellsession sol sql svelte swift terraform tex text toml ts tsx txt typescript vb vim vue xml yaml yml zig zsh"
  ).split(" "),
);

/** Languages GitHub draws instead of writing. */
const DRAWN = new Set(["mermaid", "geojson", "topojson", "stl", "math"]);

/** Blocks of a page as they show, in Markdown; of each only what is seen. */
export function visibleBlocks(tokens: Token[], reading: Reading): string[] {
  const out: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) continue;
    const end = token.nesting === 1 ? closing(tokens, at) : at;
    const text = block(token, tokens.slice(at + 1, end), reading);
    if (text.trim() !== "") out.push(text);
    at = end;
  }
  return out;
}

function block(token: Token, inside: Token[], reading: Reading): string {
  const { page, tally } = reading;
  page.begin("block");
  const words = () => visibleInline(inside[0]?.children ?? [], reading);
  switch (token.type) {
    case "paragraph_open":
      return words();
    case "heading_open": {
      const text = words();
      return text && `${"#".repeat(Number(token.tag.slice(1)))} ${text.replaceAll("\n", " ")}`;
    }
    case "fence":
      return page.hidden() ? "" : fence(token, reading);
    case "code_block":
      return page.hidden() ? "" : fenced(token.content, "");
    case "hr":
      return page.hidden() ? "" : "---";
    case "html_block":
      return visibleWords(
        page.html(token.content, "block").replace(/\s*\n\s*/g, "\n"),
        tally,
      ).trim();
    case "footnote":
      tally.add("footnote");
      return "";
    case "blockquote_open":
      return prefixed(visibleBlocks(inside, reading).join("\n\n"), "> ", "> ");
    case "bullet_list_open":
    case "ordered_list_open":
      return list(inside, reading);
    case "table_open":
      return table(inside, reading);
    default:
      throw new Error(`markdown-it gave a block this file does not know: ${token.type}`);
  }
}

function fence(token: Token, { tally }: Reading): string {
  const [language = "", ...more] = token.info.trim().split(/\s+/);
  const name = language.toLowerCase();
  if (DRAWN.has(name)) {
    tally.add("drawing");
    return "[drawing]";
  }
  const known = LANGUAGES.has(name);
  if (language !== "" && (!known || more.length > 0)) tally.add("note behind a code fence");
  return fenced(token.content, known ? name : "");
}

function fenced(content: string, language: string): string {
  const inside = content.replace(/\n+$/, "");
  const longest = (inside.match(/`{3,}/g) ?? []).reduce(
    (most, run) => Math.max(most, run.length),
    2,
  );
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${language}\n${inside}\n${ticks}`;
}

function list(tokens: Token[], reading: Reading): string {
  const items: { bullet: string; text: string }[] = [];
  let tight = true;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) continue;
    const end = closing(tokens, at);
    const inside = tokens.slice(at + 1, end);
    if (inside[0]?.type === "paragraph_open" && !inside[0].hidden) tight = false;
    const text = visibleBlocks(inside, reading).join(tight ? "\n" : "\n\n");
    if (text.trim() !== "") items.push({ bullet: `${token.info}${token.markup} `, text });
    at = end;
  }
  return items
    .map(({ bullet, text }) => prefixed(text, bullet, " ".repeat(bullet.length)))
    .join(tight ? "\n" : "\n\n");
}

function table(tokens: Token[], reading: Reading): string {
  const rows: string[] = [];
  let cells: string[] = [];
  let columns = 0;
  tokens.forEach((token, at) => {
    if (token.type === "tr_open") {
      cells = [];
      reading.tally.add("table cell", Number(token.meta?.dropped ?? 0));
    } else if (token.type === "td_open") {
      reading.page.begin("block");
      const text = visibleInline(tokens[at + 1]?.children ?? [], reading);
      cells.push(text.replaceAll("\n", " ").replaceAll("|", "\\|"));
    } else if (token.type === "tr_close") {
      columns ||= cells.length;
      if (cells.every((cell) => cell === "")) return;
      rows.push(`| ${cells.join(" | ")} |`);
      if (rows.length === 1) rows.push(`|${" --- |".repeat(columns)}`);
    }
  });
  return rows.join("\n");
}

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
