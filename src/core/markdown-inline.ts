import type { Token } from "markdown-it";
import { textParts, withoutClosing, withoutDirectives } from "./github-text.ts";
import { stripInvisible } from "./redact.ts";

/** Any text as code inside a line, also in a table cell: one line, whatever backticks and pipes it holds. */
export function codeSpan(text: string): string {
  const line = inertCode(stripInvisible(text).replace(/(?<!\s)\s*\n\s*/g, " "));
  if (line.trim() === "") return "";
  // A table cell ends at a pipe even inside backticks, so such code is spelled in entities; a comment
  // keeps what is an address from becoming a link there.
  if (line.includes("|")) {
    const spelled = line.replace(/[^\w\s.,/=()+-]/g, (sign) =>
      sign < "\u0080" ? `&#${sign.charCodeAt(0)};` : sign,
    );
    return `<code>${spelled.replace(/\/(?=\/)|www(?=\.)/gi, "$&<!-- -->")}</code>`;
  }
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = "`".repeat(longest + 1);
  const pad = /^[` ]|[` ]$/.test(line) ? " " : "";
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** Any text as a fenced block; give it a blank line before. A language GitHub would render is left out. */
export function fenced(text: string, lang = ""): string {
  const inside = inertCode(stripInvisible(text)).replace(/(?<!\n)\n+$/, "");
  const longest = (inside.match(/`{3,}/g) ?? []).reduce(
    (most, run) => Math.max(most, run.length),
    2,
  );
  const ticks = "`".repeat(longest + 1);
  const plain =
    /^[\w+#.-]{1,30}$/.test(lang) &&
    !/^(?:mermaid|geojson|topojson|stl|math|suggestion)$/i.test(lang);
  return `${ticks}${plain ? lang : ""}\n${inside}\n${ticks}`;
}

/**
 * Code without what acts even there: our own hidden lines are found by their text, and a merge that
 * takes the description as its message closes what that says it fixes, and skips the checks it says.
 */
function inertCode(code: string): string {
  return withoutDirectives(withoutClosing(withoutMarkers(code)));
}

/** Text in which no hidden line of ours stands. */
export function withoutMarkers(text: string): string {
  return text.replace(/<!--(?=\s*draftsmith)/gi, "<! --");
}

/** Plain text as Markdown that shows it and does nothing; one line when `oneLine`. */
export function inertText(text: string, { oneLine = false } = {}): string {
  const visible = stripInvisible(text);
  const shown = oneLine ? visible.replace(/\s+/g, " ").trim() : visible;
  return lines(
    shown
      .split("\n")
      .map((line) => writeText(line, true))
      .join("\n"),
  );
}

/** Parsed inline Markdown written anew, with everything in it that would act on GitHub made inert. */
export function inertInline(children: Token[], { oneLine = false } = {}): string {
  let out = "";
  for (const piece of joined(pieces(children, oneLine))) {
    const startsLine = out === "" || out.endsWith("\n");
    out = glued(out, piece.kind === "text" ? writeText(piece.text, startsLine) : piece.markup);
  }
  return oneLine ? out.trim() : lines(out);
}

/** Two pieces in a row that do not become a third thing: runs of backticks stay apart. */
function glued(before: string, after: string): string {
  return before.endsWith("`") && after.startsWith("`") ? `${before} ${after}` : before + after;
}

type Piece = { kind: "text"; text: string } | { kind: "markup"; markup: string };

/** What was spelt as an entity may be a line end, or something that nobody sees. */
const text = (content: string): Piece => ({
  kind: "text",
  text: stripInvisible(content).replace(/\n/g, " "),
});
const markup = (content: string): Piece => ({ kind: "markup", markup: content });

function pieces(children: Token[], oneLine: boolean): Piece[] {
  const out: Piece[] = [];
  const lineBreak = oneLine ? text(" ") : markup("\\\n");
  for (let at = 0; at < children.length; at++) {
    const token = children[at];
    if (!token) continue;
    switch (token.type) {
      case "code_inline":
        out.push(markup(codeSpan(token.content)));
        break;
      case "softbreak":
        out.push(oneLine ? text(" ") : markup("\n"));
        break;
      case "hardbreak":
        out.push(lineBreak);
        break;
      case "image":
        out.push(text(`(image: ${token.content.replace(/\s+/g, " ")})`.replace(": )", ")")));
        break;
      case "html_inline":
        out.push(
          /^<br\s*\/?>$/i.test(token.content)
            ? lineBreak
            : text(withoutComments(token.content).replace(/\s+/g, " ")),
        );
        break;
      case "link_open": {
        let end = at + 1;
        while (end < children.length && children[end]?.type !== "link_close") end++;
        out.push(
          ...link(
            String(token.attrGet("href") ?? ""),
            pieces(children.slice(at + 1, end), oneLine),
          ),
        );
        at = end;
        break;
      }
      default:
        out.push(token.nesting === 0 ? text(token.content) : markup(token.markup));
    }
  }
  return out;
}

/** HTML without its comments; one that never ends stays, to be shown. */
export function withoutComments(html: string): string {
  return html.replace(/<!--(?:>|->|[\s\S]*?-->)/g, "");
}

/** A link as its words and, as code, where it goes: nobody can click on what a model chose. */
function link(href: string, label: Piece[]): Piece[] {
  const words = label.map((piece) => (piece.kind === "text" ? piece.text : piece.markup)).join("");
  const target = decoded(href);
  if (!/^(?:https?|ftp):\/\//i.test(href)) return label;
  if ([href, target].includes(words.trim())) return [markup(codeSpan(words.trim()))];
  return [...label, text(" "), markup(`(${codeSpan(target)})`)];
}

/** A URL with what was percent-encoded on the way, where that can be told. */
function decoded(href: string): string {
  try {
    return decodeURI(href);
  } catch {
    return href;
  }
}

/** Neighbouring texts as one: a mention may be spread over what stood left and right of a comment. */
function joined(all: Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of all) {
    const last = out.at(-1);
    if (piece.kind === "text" && last?.kind === "text")
      out[out.length - 1] = text(last.text + piece.text);
    else out.push(piece);
  }
  return out;
}

function writeText(content: string, startsLine: boolean): string {
  // Bots read commands at the start of a line from the raw text.
  const command = startsLine ? /^\s*(\/[\w./-]+)/.exec(content) : null;
  const rest = command ? content.slice(command[0].length) : content;
  const written = textParts(rest).map((part) => {
    switch (part.kind) {
      case "plain":
        return escaped(part.text);
      case "directive":
        return escaped(part.text.replace(/^\[(.*)\]$/, "($1)").replace(/^\*+|\*+$/g, ""));
      default:
        return codeSpan(part.text);
    }
  });
  return written.reduce(glued, command ? codeSpan(command[1] ?? "") : "");
}

/** Every sign that means something anywhere in a line of Markdown, behind a backslash. */
function escaped(plain: string): string {
  return (
    plain
      .replace(/[\\`*[\]<|~$]/g, "\\$&")
      .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\_")
      .replace(/&(?=[#A-Za-z0-9])/g, "\\&")
      // Stars around it may come from emphasis.
      .replace(/(?<=NO)_(?=CI)/gi, "\\_")
      .replaceAll("<!--", "<\\!--")
  );
}

/** Signs that would start a block at the start of a line, behind a backslash. */
function lines(inline: string): string {
  return inline
    .split("\n")
    .map((line) =>
      line
        .trim()
        .replace(/^(?:[#>+=:-]|~~~)/, "\\$&")
        .replace(/^(\d{1,9})([.)])(?=\s|$)/, "$1\\$2"),
    )
    .join("\n")
    .replace(/(?:\\?\n)+$/, "");
}
