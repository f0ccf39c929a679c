/** A text as it is searched: its signs, and where each of them stands in the text it was made from. */
export interface View {
  codes: Uint16Array;
  from: Uint32Array;
  to: Uint32Array;
}

/** Collects the signs of a view, at most as many as were announced. */
export class ViewWriter {
  readonly #codes: Uint16Array;
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  #length = 0;

  constructor(capacity: number) {
    this.#codes = new Uint16Array(capacity);
    this.#from = new Uint32Array(capacity);
    this.#to = new Uint32Array(capacity);
  }

  push(code: number, from: number, to: number): void {
    this.#codes[this.#length] = code;
    this.#from[this.#length] = from;
    this.#to[this.#length] = to;
    this.#length += 1;
  }

  view(): View {
    return {
      codes: this.#codes.subarray(0, this.#length),
      from: this.#from.subarray(0, this.#length),
      to: this.#to.subarray(0, this.#length),
    };
  }
}

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const ESCAPE = 0x1b;

const AFTER_BACKSLASH =
  /\\+(?:u\{([0-9a-fA-F]{1,6})\}|(?:u|U0000)([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|([nrtbfv])|(["'`/]))?/y;
const AFTER_PERCENT = /%(?:25)*([0-9a-f]{2})/iy;
const ENTITY =
  /&(?:amp;)*(?:#x0{0,6}([0-9a-f]{1,6})|#0{0,6}([0-9]{1,7})|(amp|lt|gt|quot|apos|nbsp))(?:;|\b)/iy;
const NAMED: Record<string, number> = { amp: 38, lt: 60, gt: 62, quot: 34, apos: 39, nbsp: 32 };

/**
 * A text with its escapes read (\n, \u0041, \x41, \101, %41, &#65;, &amp;, also doubled), letters of
 * other widths and faces as plain ones, and without what nobody sees: terminal sequences, control,
 * zero-width and combining characters.
 */
export function readable(text: string): View {
  const out = new ViewWriter(text.length);
  let escapes = false;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code > 0x7e) {
      at = pushForeign(out, text, at);
      continue;
    }
    if (code === BACKSLASH || code === PERCENT || code === AMPERSAND) {
      const read = readEscape(text, at, code);
      if (read !== null) {
        if (read.code === ESCAPE) escapes = true;
        if (!isHidden(read.code)) out.push(read.code, at, read.end);
        at = read.end;
        continue;
      }
    }
    if (code === ESCAPE) escapes = true;
    if (!isHidden(code)) out.push(code, at, at + 1);
    at += 1;
  }
  const view = out.view();
  return escapes ? withoutSequences(view) : view;
}

function readEscape(text: string, at: number, code: number): { code: number; end: number } | null {
  if (code === PERCENT) {
    AFTER_PERCENT.lastIndex = at;
    const hex = AFTER_PERCENT.exec(text);
    return hex && { code: Number.parseInt(hex[1] ?? "", 16), end: AFTER_PERCENT.lastIndex };
  }
  if (code === AMPERSAND) {
    ENTITY.lastIndex = at;
    const entity = ENTITY.exec(text);
    if (!entity) return null;
    const [, hex, decimal, name = ""] = entity;
    const value = hex
      ? Number.parseInt(hex, 16)
      : decimal
        ? Number(decimal)
        : (NAMED[name.toLowerCase()] ?? AMPERSAND);
    return { code: Math.min(value, 0xffff), end: ENTITY.lastIndex };
  }
  AFTER_BACKSLASH.lastIndex = at;
  const read = AFTER_BACKSLASH.exec(text);
  if (!read) return null;
  const [, point, unit, byte, octal, space, itself] = read;
  const hex = point ?? unit ?? byte;
  const value = hex
    ? Number.parseInt(hex, 16)
    : octal
      ? Number.parseInt(octal, 8)
      : space
        ? 0x0a
        : (itself?.charCodeAt(0) ?? BACKSLASH);
  return { code: Math.min(value, 0xffff), end: AFTER_BACKSLASH.lastIndex };
}

/** Control characters but tab, line end and the start of a terminal sequence, which is read later. */
function isHidden(code: number): boolean {
  return code < 0x20 && code !== 0x0a && code !== 0x09 && code !== ESCAPE;
}

const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Mn}\p{Me}\u{FFF9}-\u{FFFB}]/u;
/** Latin letters and digits of other widths and faces. */
const OTHER_FACE =
  /[\u{FF01}-\u{FF5E}\u{1D400}-\u{1D7FF}\u{2460}-\u{24FF}\u{2100}-\u{214F}\u{2070}-\u{209C}]/u;

/** Writes a sign beyond ASCII; the place behind it. */
function pushForeign(out: ViewWriter, text: string, at: number): number {
  const point = text.codePointAt(at) ?? 0;
  const end = at + (point > 0xffff ? 2 : 1);
  // Letters of most scripts are neither.
  if (point >= 0x4e00 && point <= 0xd7ff) {
    out.push(point, at, end);
    return end;
  }
  const sign = String.fromCodePoint(point);
  if (UNSEEN.test(sign)) return end;
  if (OTHER_FACE.test(sign)) {
    const plain = sign.normalize("NFKC").replace(/[()]/g, "");
    if (plain.length === 1) {
      out.push(plain.charCodeAt(0), at, end);
      return end;
    }
  }
  for (let unit = at; unit < end; unit++) out.push(text.charCodeAt(unit), unit, unit + 1);
  return end;
}

/** Without what a terminal reads as a command. */
function withoutSequences(view: View): View {
  const out = new ViewWriter(view.codes.length);
  const { codes } = view;
  for (let at = 0; at < codes.length; ) {
    if (codes[at] !== ESCAPE) {
      out.push(codes[at] ?? 0, view.from[at] ?? 0, view.to[at] ?? 0);
      at += 1;
      continue;
    }
    at = pastSequence(codes, at + 1);
  }
  return out.view();
}

function pastSequence(codes: Uint16Array, start: number): number {
  const kind = codes[start] ?? 0;
  let at = start;
  if (kind === 0x5b) {
    at += 1;
    while (at < codes.length && (codes[at] ?? 0) >= 0x20 && (codes[at] ?? 0) <= 0x3f) at += 1;
    return Math.min(at + 1, codes.length);
  }
  while (at < codes.length && (codes[at] ?? 0) >= 0x20 && (codes[at] ?? 0) <= 0x2f) at += 1;
  return Math.min(at + 1, codes.length);
}

/** Whether a sign is one of A–Z, a–z, 0–9. */
export function isAlnum(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39)
  );
}

/** The letters and digits of a view alone, so that nothing put between them matters. */
export function squeezed(view: View): View {
  const out = new ViewWriter(view.codes.length);
  for (let at = 0; at < view.codes.length; at++) {
    const code = view.codes[at] ?? 0;
    if (isAlnum(code)) out.push(code, view.from[at] ?? 0, view.to[at] ?? 0);
  }
  return out.view();
}
