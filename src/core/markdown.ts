import { textParts, withoutDirectives, withoutReferenceLinks } from "./github-text.ts";
import { inertBlocks } from "./markdown-blocks.ts";
import { inertText, withoutMarkers } from "./markdown-inline.ts";
import { stripInvisible } from "./redact.ts";

export { codeSpan, fenced } from "./markdown-inline.ts";

const CUT = "\n\n… (cut)";

/**
 * A model's Markdown, written anew so that it shows what it says and does nothing: mentions, references
 * and slash commands become code, raw HTML becomes text, comments and images go, of links their words
 * and where they lead stay, headings start at the fourth level, no fence stays open. What stands in
 * code is kept, as GitHub does not act on it. At most `maxLength` characters.
 */
export function safeMarkdown(text: string, { maxLength }: { maxLength: number }): string {
  const source = stripInvisible(text);
  let keep = Math.min(source.length, maxLength);
  while (keep > 0) {
    const whole = keep === source.length;
    const out = inertBlocks(cutText(source, keep)) + (whole ? "" : CUT);
    if (out.length <= maxLength) return out;
    // Escapes made it longer than it was: keep as much less.
    keep = Math.min(Math.floor((keep * (maxLength - CUT.length)) / out.length), keep - 1);
  }
  return "";
}

/** Plain text as one line for a table cell or a sentence: shown as it is, with nothing in it acting. */
export function tableCell(text: string): string {
  return inertText(text, { oneLine: true });
}

/**
 * Text for a commit message, where neither code nor HTML protects anything: mentions, references and
 * trailers are taken apart by a space, links to issues lose their scheme. At most `maxLength` characters.
 */
export function safePlainText(text: string, { maxLength }: { maxLength: number }): string {
  const plain = stripInvisible(text)
    .split("\n")
    .map((line) => inertLine(line).trimEnd())
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
  return plain.length > maxLength ? `${cutText(plain, maxLength - 1).trimEnd()}…` : plain;
}

const MAX_TITLE = 72;

/**
 * The first line of a text as a title: one line of at most 72 characters without Markdown around it,
 * leading slash or final full stop; inert as in `safePlainText`. Empty when nothing is left.
 */
export function titleLine(text: string): string {
  const line = stripInvisible(text).split("\n").map(bare).find(Boolean) ?? "";
  const title = inertLine(line.replace(/^[/\s]+/, ""))
    .replace(/\s+/g, " ")
    .replace(/^[/\s]+/, "")
    .replace(/[.。\s]+$/, "");
  const characters = [...title];
  if (characters.length <= MAX_TITLE) return title;
  const lastSpace = characters.slice(0, MAX_TITLE).lastIndexOf(" ");
  const end = lastSpace > MAX_TITLE / 2 ? lastSpace : MAX_TITLE - 1;
  return `${characters
    .slice(0, end)
    .join("")
    .replace(/[\s,.;:–-]+$/, "")}…`;
}

/** A line without the Markdown that makes it a heading, quotation, list item or emphasis. */
function bare(line: string): string {
  const words = line.trim().replace(/^(?:(?:#{1,6}|>|[-+*])\s+|\d{1,3}[.)]\s+)+/, "");
  const [, , inside] = /^(\*\*|__|["'])(.+)\1$/.exec(words) ?? [];
  return (inside ?? words).trim();
}

/** One line whose parts GitHub, git and CI systems no longer act on. */
function inertLine(line: string): string {
  const parts = textParts(withoutReferenceLinks(withoutMarkers(line))).map(({ kind, text }) => {
    switch (kind) {
      case "mention":
        return text.replace(/[@\uFF20]/, "@ ");
      case "mail":
        return text.replace(/(?<![A-Za-z0-9])@/, "@ ");
      case "reference":
        return text.replace("#", " # ").replace(/^GH-/i, "GH ").trimStart();
      case "commit":
        return text.replace("@", " @ ").trimStart();
      case "url":
        return text.replaceAll("@", "%40").replaceAll("\uFF20", "%EF%BC%A0");
      case "directive":
        return text.replace(/^\[(.*)\]$/, "($1)").replace(/^\*+|\*+$/g, "");
      default:
        return text;
    }
  });
  // "Signed-off-by: …", "Co-authored-by: …", "skip-checks: true": a hyphenated word and a colon.
  const inert = withoutDirectives(parts.join(""));
  return inert.replace(/^(\s*(?=[A-Za-z0-9]*-)[A-Za-z0-9-]+)\s*:/, "$1 –");
}

/** The first characters of a text, without half a character at the end. */
function cutText(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}
