import type { Token } from "markdown-it";
import { isReferenceUrl } from "../github-text.ts";
import { withoutHiddenEntities } from "./entities.ts";
import type { Page } from "./html.ts";
import type { Tally } from "./tally.ts";

/** What the parts of a text are written with. */
export interface Reading {
  page: Page;
  tally: Tally;
  /** Whether targets of links are kept, which show only under a pointer. */
  trusted: boolean;
}

type Piece = { kind: "words" | "code"; text: string };

/** A line or paragraph as it shows on the page, in Markdown. */
export function visibleInline(children: Token[], reading: Reading): string {
  const joined: Piece[] = [];
  for (const piece of pieces(children, reading)) {
    const last = joined.at(-1);
    // What entities and escapes took apart belongs together.
    if (last && last.kind === piece.kind) last.text += piece.text;
    else joined.push(piece);
  }
  return joined
    .map(({ kind, text }) => (kind === "words" ? visibleWords(text, reading.tally) : text))
    .join("")
    .replace(/ *\n */g, "\n")
    .trim();
}

function pieces(children: Token[], reading: Reading): Piece[] {
  const { page, tally } = reading;
  const out: Piece[] = [];
  const words = (text: string) => out.push({ kind: "words", text });
  for (let at = 0; at < children.length; at++) {
    const token = children[at];
    if (!token) continue;
    switch (token.type) {
      case "text":
        words(page.text(token.content));
        break;
      case "text_special":
        words(page.text(token.info === "escape" ? token.markup : token.content));
        break;
      case "code_inline":
        if (!page.hidden()) out.push({ kind: "code", text: code(token.content) });
        break;
      case "softbreak":
      case "hardbreak":
        page.begin("line");
        words("\n");
        break;
      case "html_inline":
        words(page.html(token.content, "line"));
        break;
      case "image":
        tally.add("image text", token.content.trim() === "" ? 0 : 1);
        tally.add("link title", token.attrGet("title") ? 1 : 0);
        words(page.text("[image]"));
        break;
      case "link_open": {
        const end = closing(children, at);
        out.push(...link(token, pieces(children.slice(at + 1, end), reading), reading));
        at = end;
        break;
      }
      case "footnote_mark":
        tally.add("footnote", Number(token.meta?.dropped ?? 0));
        words(page.text("[note]"));
        break;
      case "disputed":
        page.dispute();
        break;
      case "odd_link":
        tally.add("link target");
        break;
      case "formula":
        tally.add("formula");
        words(page.text("[formula]"));
        break;
      default:
        words(page.text(token.markup));
    }
  }
  return out;
}

function closing(children: Token[], open: number): number {
  let at = open + 1;
  while (at < children.length && children[at]?.type !== "link_close") at++;
  return at;
}

/** The words of a link; with its target when that shows, or its author is trusted. */
function link(token: Token, label: Piece[], { page, tally, trusted }: Reading): Piece[] {
  const target = String(token.attrGet("href") ?? "");
  tally.add("link title", token.attrGet("title") ? 1 : 0);
  const runs = /^\s*(?:data|javascript|vbscript):/i.test(target);
  tally.add("data URI", runs ? 1 : 0);
  if (token.markup === "autolink") return runs ? [] : label;
  const words = label.map(({ text }) => text).join("");
  if (target === "" || words.trim() === target) return label;
  // What is odd about a target may be meant for a machine.
  if (words.trim() === "" || runs || !trusted || !/^[!-'*-;=?-Z_a-z~]{1,300}$/.test(target)) {
    tally.add("link target", runs ? 0 : 1);
    return words.trim() === "" ? [] : label;
  }
  return [
    { kind: "words", text: page.text("[") },
    ...label,
    { kind: "words", text: page.text(`](${target})`) },
  ];
}

function code(content: string): string {
  const longest = Math.max(0, ...(content.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = "`".repeat(longest + 1);
  const pad = longest > 0 ? " " : "";
  return `${ticks}${pad}${content}${pad}${ticks}`;
}

/** Words as a page sets them: without what is written into them for machines. */
export function visibleWords(text: string, tally: Tally): string {
  return withoutHiddenEntities(text, tally)
    .replace(/\$((?:\\[\s\S]|[^$\\])*)(?=\$)/g, (span, inside: string) => {
      if (!/\\[A-Za-z]/.test(inside)) return span;
      tally.add("formula");
      return "$[formula]";
    })
    .replace(/[ \t]{2,}/g, " ")
    .replace(/\bdata:(?:[\w.+-]{1,40}\/[\w.+-]{1,60})?(?:;[\w=-]{1,40}){0,5},\S*/gi, () => {
      tally.add("data URI");
      return "[data URI]";
    })
    .replace(/https?:\/\/[^\s<>()[\]]+/gi, (url) => {
      // GitHub shows such an address as "#12", whatever stands behind the number.
      const shown =
        /^[^?#]*(?:#(?:issuecomment-|discussion_r|L)\d+(?:-L\d+)?)?/.exec(url)?.[0] ?? url;
      if (!isReferenceUrl(url) || shown === url) return url;
      tally.add("link target");
      return shown;
    });
}
