import { BLOCK, BREAKS, DISPUTED, DISPUTED_TAG, hides, PLAIN, UNSEEN, VOID } from "./elements.ts";
import { decoded } from "./entities.ts";
import type { Tally } from "./tally.ts";

/** A page read from its beginning to its end: what stands open in HTML hides what follows, also in later blocks. */
export interface Page {
  /** Raw HTML, a whole block or a piece inside a line; gives the words in it that show. */
  html(source: string, place: "block" | "line"): string;
  /** Words outside tags; gives those that show. */
  text(words: string): string;
  /** Whether something open hides what comes next. */
  hidden(): boolean;
  /** Leaves out everything from here on, for readers take it differently. */
  dispute(): void;
  /** Begins a new line, or a new block. */
  begin(what: "line" | "block"): void;
}

/** What hides the words that come next, and how it ends. */
type Veil =
  | { by: "nothing" }
  /** A comment or its kin, up to this mark; `under` it something may hide too. */
  | { by: "mark"; mark: string; under: Veil }
  | { by: "element"; name: string; depth: number }
  /** An element that is never closed, in the middle of a sentence. */
  | { by: "block" }
  | { by: "rest" };

/** The beginning of a comment (one that ends comes as HTML), or of an element that versions read differently. */
const LOOSE = new RegExp(`<!--|${DISPUTED_TAG.source}`, "i");

/** A name in angle brackets that a person wrote as a word: `<String>`, `<user-id>`. */
const WORD = /^(?=.{1,24}$)[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+){0,2}-?$/;

/**
 * A reader for a page whose raw HTML is `pieces`, in order. It errs on the side of hiding: where
 * readers of HTML disagree on the end of a comment or tag, the later one counts. With `trusted`, a bare
 * tag that is never closed is taken for a word its author forgot to quote.
 */
export function readPage(pieces: string[], trusted: boolean, tally: Tally): Page {
  const closers = new Map<string, number>();
  for (const piece of pieces) {
    for (const [, name = ""] of piece.matchAll(/<\/([a-z][^\s/>]*)/gi)) {
      closers.set(name.toLowerCase(), (closers.get(name.toLowerCase()) ?? 0) + 1);
    }
  }
  let veil: Veil = { by: "nothing" };
  let lineHasWords = false;
  let inLine = false;

  function show(words: string): string {
    if (veil.by !== "nothing") return "";
    const line = words.slice(words.lastIndexOf("\n") + 1);
    lineHasWords = /\S/.test(line) || (lineHasWords && line === words);
    return words;
  }

  function open(mark: string, noun: string): void {
    tally.add(noun);
    veil = { by: "mark", mark, under: veil };
  }

  /** Reads the markup that begins at `at`; gives what it shows and where it ends. */
  function markup(source: string, at: number, lastInstruction: number) {
    if (source.startsWith("<!--", at)) {
      // Some readers take `<!-->` for a whole comment, some for the beginning of one.
      if (/^<!---?>/.test(source.slice(at, at + 6))) return rest(source, "HTML comment");
      return past(source, at + 4, "-->", "HTML comment");
    }
    if (source.startsWith("<![CDATA[", at)) return past(source, at + 9, "]]>", "HTML declaration");
    if (source.startsWith("<?", at)) {
      return past(source, at + 2, lastInstruction > at ? "?>" : ">", "HTML declaration");
    }
    if (/^<(?:!|\/[^A-Za-z])/.test(source.slice(at, at + 3))) {
      return past(source, at + 2, ">", "HTML declaration");
    }
    const begin = /<(\/?)([A-Za-z][^\s/>]*)/y;
    begin.lastIndex = at;
    const [start, slash, name = ""] = begin.exec(source) ?? [];
    if (start === undefined) return { shown: show("<"), end: at + 1 };
    const end = tagEnd(source, at + start.length);
    if (end === -1) return rest(source, "HTML tag");
    const attributes = source.slice(at + start.length, end - 1);
    return { shown: slash ? close(name, attributes) : element(name, attributes), end };
  }

  /** Leaves out up to a mark, which may come in a later piece only. */
  function past(source: string, from: number, mark: string, noun: string) {
    const found = source.indexOf(mark, from);
    if (found === -1) {
      open(mark, noun);
      return { shown: "", end: source.length };
    }
    if (isDisputed(source.slice(from, found), mark, inLine)) return rest(source, noun);
    tally.add(noun);
    return { shown: "", end: found + mark.length };
  }

  /** Leaves out everything from here on. */
  function rest(source: string, noun: string) {
    tally.add(noun);
    veil = { by: "rest" };
    return { shown: "", end: source.length };
  }

  function close(spelled: string, attributes: string): string {
    const name = spelled.toLowerCase();
    if (DISPUTED.has(name) && veil.by === "nothing") {
      rest("", "element that is not shown");
      return "";
    }
    tally.add("HTML attribute", attributes.trim() === "" ? 0 : 1);
    closers.set(name, (closers.get(name) ?? 1) - 1);
    if (veil.by === "element" && veil.name === name) {
      veil = veil.depth > 1 ? { ...veil, depth: veil.depth - 1 } : { by: "nothing" };
      return "";
    }
    if (name === "details") return show("\n[end of the fold]\n");
    return BLOCK.has(name) || name === "summary" ? show("\n") : "";
  }

  function element(spelled: string, attributes: string): string {
    const name = spelled.toLowerCase();
    if (veil.by === "element" && veil.name === name && !VOID.has(name)) {
      veil = { ...veil, depth: veil.depth + 1 };
    }
    if (veil.by !== "nothing") return "";
    const bare = attributes === "";
    const closed = (closers.get(name) ?? 0) > 0;
    const unseen = UNSEEN.has(name) || DISPUTED.has(name) || hides(name, attributes);
    // In the middle of a line even an element that would begin one is likely meant as a word.
    const word = WORD.test(spelled) && (lineHasWords || !(unseen || BLOCK.has(name)));
    if (trusted && bare && word && !closed && !BREAKS.has(name)) return show(`<${spelled}>`);
    if (!VOID.has(name) && unseen) {
      if (!closed && bare && lineHasWords) veil = { by: "block" };
      else if (closed && !DISPUTED.has(name)) veil = { by: "element", name, depth: 1 };
      else veil = { by: "rest" };
      tally.add("element that is not shown");
      return "";
    }
    tally.add("HTML attribute", (attributes.match(/=/g) ?? []).length);
    if (name === "img") return show("[image]");
    if (name === "details") {
      if (/(?:^|\s)open(?:[\s=/]|$)/i.test(attributes)) return show("\n");
      tally.add("fold");
      return show("\n[folded on the page]\n");
    }
    if (BLOCK.has(name) || BREAKS.has(name) || name === "summary") return show("\n");
    if (!PLAIN.has(name)) tally.add("HTML tag");
    return "";
  }

  return {
    html(source, place) {
      inLine = place === "line";
      // What looks like a comment or its kin inside an open one may be text to GitHub, which would not end it.
      if (veil.by === "mark" && /^<[!?]/.test(source)) return "";
      let out = "";
      let at = 0;
      const lastInstruction = source.lastIndexOf("?>");
      while (at < source.length) {
        if (veil.by === "mark") {
          const found = source.indexOf(veil.mark, at);
          if (found === -1) return out;
          at = found + veil.mark.length;
          veil = veil.under;
          continue;
        }
        const next = source.indexOf("<", at);
        out += show(decoded(source.slice(at, next === -1 ? source.length : next)));
        if (next === -1) break;
        const { shown, end } = markup(source, next, lastInstruction);
        out += shown;
        at = end;
      }
      return out;
    },
    text(words) {
      const found = veil.by === "nothing" ? LOOSE.exec(words) : null;
      if (found === null) return show(words);
      const before = show(words.slice(0, found.index));
      rest(words, found[0] === "<!--" ? "HTML comment" : "element that is not shown");
      return before;
    },
    hidden: () => veil.by !== "nothing",
    dispute() {
      if (veil.by === "nothing") rest("", "disputed text");
    },
    begin(what) {
      lineHasWords = false;
      if (what === "block" && veil.by === "block") veil = { by: "nothing" };
    },
  };
}

/**
 * Whether some reader lets a comment or declaration end sooner, or takes it for text, and could then find
 * something in it that hides more than it does: a browser, or CommonMark 0.29 inside a line.
 */
function isDisputed(inside: string, mark: string, inLine: boolean): boolean {
  switch (mark) {
    case ">":
      // GitHub takes most declarations for text.
      return /[<[`$]/.test(inside);
    case "-->":
      if (!inLine) return inside.includes("<", inside.indexOf("--!>") + 1 || inside.length);
      return /--|^-?>|-$/.test(inside) && /[<[]/.test(inside.replaceAll("<!--", ""));
    default:
      return inside.includes("<", inside.indexOf(">") + 1 || inside.length);
  }
}

/**
 * The end of a tag whose attributes begin at `from`: its `>` outside quotes. -1 when it does not end, or
 * when another tag would begin in it for readers who take those quotes for none.
 */
function tagEnd(source: string, from: number): number {
  const signs = />|=\s*["']/g;
  signs.lastIndex = from;
  for (let sign = signs.exec(source); sign; sign = signs.exec(source)) {
    if (sign[0] === ">") return sign.index + 1;
    const end = source.indexOf(sign[0].slice(-1), signs.lastIndex);
    const value = source.slice(signs.lastIndex, end);
    if (end === -1 || value.lastIndexOf("<") > value.concat(">").indexOf(">")) return -1;
    signs.lastIndex = end + 1;
  }
  return -1;
}
