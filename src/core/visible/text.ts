import { visibleBlocks } from "./blocks.ts";
import { plainBlanks, visibleCharacters } from "./characters.ts";
import { renamed, renamedBack } from "./elements.ts";
import { readPage } from "./html.ts";
import { parsePage } from "./parser.ts";
import { createTally, type Tally } from "./tally.ts";

/** A text without what its readers cannot see, and what was taken out, by kind and number. */
export interface VisibleText {
  text: string;
  what: string[];
}

/** GitHub takes 65,536 characters; what another host sends beyond this is left out. */
const MAX_SOURCE = 100_000;

/**
 * Markdown as its page shows it, written anew from its tree: no comment, attribute, alternative text,
 * title, definition, footnote or invisible character of the source gets through, however it is spelled.
 * Code stays as it is but for invisible characters; folded text stays and is marked. Where GitHub and
 * other readers disagree, what one of them hides is left out. `trusted` keeps targets of links and bare
 * tags that are never closed; only the first `max` characters are read.
 */
export function visibleMarkdown(
  source: string,
  { trusted, max = MAX_SOURCE }: { trusted: boolean; max?: number },
): VisibleText {
  const tally = createTally();
  const kept = source.slice(0, max).toWellFormed();
  tally.add("cut-off character", source.length - kept.length);
  const clean = visibleCharacters(kept, tally, { asMarkdown: true });
  const text = shown(clean, trusted, tally);
  if (tally.what().length === 0 || clean === kept) return { text, what: tally.what() };
  // To GitHub a character that nobody sees is one: it keeps a line from beginning a block.
  const words = new Set(wordsOf(shown(kept.replaceAll("\u001b", ""), trusted, createTally())));
  const agreed = text.split("\n").filter((line) => wordsOf(line).every((word) => words.has(word)));
  if (agreed.join("\n") !== text) tally.add("disputed text");
  return { text: agreed.join("\n"), what: tally.what() };
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}

function shown(source: string, trusted: boolean, tally: Tally): string {
  const { tokens, definitions } = parsePage(renamed(source));
  tally.add("link definition", definitions);
  const page = readPage(rawHtml(tokens), trusted, tally);
  const text = visibleBlocks(tokens, { page, tally, trusted }).join("\n\n");
  return plainBlanks(renamedBack(visibleCharacters(text, tally)));
}

/** A title, which GitHub shows as plain text on one line; a comment in it is taken out all the same. */
export function visibleTitle(source: string): VisibleText {
  const tally = createTally();
  const shown = visibleCharacters(source.slice(0, 2000), tally).replace(
    /<!--[\s\S]*?(?:-->|$)/g,
    () => {
      tally.add("HTML comment");
      return "";
    },
  );
  return { text: plainBlanks(shown).replace(/\s+/g, " ").trim(), what: tally.what() };
}

/** A file or diff, in which all is text: only invisible characters go. */
export function visibleSource(source: string): VisibleText {
  const tally = createTally();
  const text = visibleCharacters(source, tally);
  return { text, what: tally.what() };
}

function rawHtml(tokens: ReturnType<typeof parsePage>["tokens"]): string[] {
  return tokens.flatMap((token) => {
    if (token.type === "html_block") return [token.content];
    return rawHtml(token.children ?? []).concat(
      token.type === "html_inline" ? [token.content] : [],
    );
  });
}
