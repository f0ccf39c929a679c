import { stripInvisible } from "../redact.ts";
import type { Tally } from "./tally.ts";

/** The selector behind an emoji chooses its look: of no use to a model, and nothing to report. */
const EMOJI_STYLE = /(?<=\p{Emoji})[\uFE0E\uFE0F]/gu;

/** Characters nobody sees, by the words they are reported with. Runs, so that long ones cost one step. */
const KINDS: [string, RegExp][] = [
  ["tag character", /[\u{E0000}-\u{E007F}]+/gu],
  ["variation selector", /[\uFE00-\uFE0F\u180B-\u180D\u180F\u{E0100}-\u{E01EF}]+/gu],
  ["bidirectional control", /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu],
  ["zero-width character", /[\u200B-\u200D\u2060-\u2064\uFEFF]+/gu],
  ["soft hyphen", /\u00AD+/gu],
  ["private-use character", /\p{Co}+/gu],
  ["unassigned character", /\p{Cn}+/gu],
  // Format characters that do show, such as the Arabic number sign, stay.
  [
    "other invisible character",
    /[[\p{Default_Ignorable_Code_Point}\p{Cf}\uFFFC\u{1D159}]--[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}]]+/gv,
  ],
];

/** Blanks of any width, one of which looks like another and could spell something: all but the plain space. */
const BLANKS = /[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000\u2800\u{13441}\u{13442}]/gu;

/** Breaks that Unicode knows and Markdown does not; while others are cleaned away, private signs stand for them. */
const BREAKS = ["\v", "\f", "\u0085", "\u2028", "\u2029"];
const FIRST_SIGN = 0xe000;

/**
 * A text without characters that nobody sees; line ends become "\n". With `asMarkdown` only those that end
 * a line there do, and other breaks stay. Long texts cost linear time.
 */
export function visibleCharacters(text: string, tally: Tally, { asMarkdown = false } = {}): string {
  let out = text.replace(/^\uFEFF/, "").replace(EMOJI_STYLE, "");
  for (const [noun, pattern] of KINDS) {
    out = out.replace(pattern, (run) => {
      tally.add(noun, [...run].length);
      return "";
    });
  }
  const held = asMarkdown ? out.replace(/[\v\f\u0085\u2028\u2029]/g, signOf) : out;
  // What an escape introduces in a terminal is plain text on a page, and part of its Markdown.
  if (asMarkdown) tally.add("control character", held.split("\u001b").length - 1);
  const lines = (asMarkdown ? held.replaceAll("\u001b", "") : held).replace(
    /\r\n?|[\v\f\u0085\u2028\u2029]/g,
    "\n",
  );
  const clean = stripInvisible(lines);
  tally.add("control character", lines.length - clean.length);
  return asMarkdown ? clean.replace(/[\uE000-\uE004]/g, breakOf) : clean;
}

function signOf(lineBreak: string): string {
  return String.fromCharCode(FIRST_SIGN + BREAKS.indexOf(lineBreak));
}

function breakOf(sign: string): string {
  return BREAKS[sign.charCodeAt(0) - FIRST_SIGN] ?? "";
}

/** A text whose blanks are plain spaces. */
export function plainBlanks(text: string): string {
  return text.replace(BLANKS, " ");
}
