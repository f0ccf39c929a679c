import { isAlnum, type View, ViewWriter } from "./secret-view.ts";

/** Signs between two bytes of a list, such as `", 0x` or a line end with its indent. */
const MAX_GAP = 24;

/** Contiguous hex from this length is read wherever in a word it starts. */
const LONG_HEX = 16;

/** What ends a stretch: it stands in no secret. */
const BREAK = 0;

/** Bytes spelt as numbers: `115, 107`, `0x73 0x6b`, `73:6b`, `736b`, as the text they spell. */
export function spelled(view: View): View[] {
  const decimal = new ViewWriter(view.codes.length);
  const hex = new ViewWriter(2 * view.codes.length);
  const { codes } = view;
  let last = 0;
  for (let at = 0; at < codes.length; ) {
    if (!isAlnum(codes[at] ?? 0)) {
      at += 1;
      continue;
    }
    let end = at + 1;
    while (end < codes.length && isAlnum(codes[end] ?? 0)) end += 1;
    if (at - last > MAX_GAP) {
      decimal.push(BREAK, 0, 0);
      hex.push(BREAK, 0, 0);
    }
    pushDecimal(decimal, view, at, end);
    pushHex(hex, view, at, end);
    last = end;
    at = end;
  }
  return [decimal.view(), hex.view()];
}

function pushDecimal(out: ViewWriter, view: View, at: number, end: number): void {
  let value = 0;
  for (let each = at; each < end; each++) {
    const digit = (view.codes[each] ?? 0) - 48;
    value = end - at <= 3 && digit >= 0 && digit <= 9 ? 10 * value + digit : Number.NaN;
  }
  const code = value >= 32 && value <= 126 ? value : BREAK;
  out.push(code, view.from[at] ?? 0, view.to[end - 1] ?? 0);
}

function pushHex(out: ViewWriter, view: View, start: number, end: number): void {
  const prefixed = view.codes[start] === 48 && ((view.codes[start + 1] ?? 0) | 0x20) === 0x78;
  const at = prefixed ? start + 2 : start;
  let run = at;
  while (run < end && nibble(view.codes[run] ?? 0) >= 0) run += 1;
  if (run === end && (end - at) % 2 === 0) {
    pushBytes(out, view, at, end);
    if (end - at < LONG_HEX) return;
  }
  out.push(BREAK, 0, 0);
  for (let from = at; from < end; ) {
    if (nibble(view.codes[from] ?? 0) < 0) {
      from += 1;
      continue;
    }
    let to = from;
    while (to < end && nibble(view.codes[to] ?? 0) >= 0) to += 1;
    if (to - from >= LONG_HEX) {
      pushBytes(out, view, from, to);
      out.push(BREAK, 0, 0);
      pushBytes(out, view, from + 1, to);
      out.push(BREAK, 0, 0);
    }
    from = to;
  }
}

function pushBytes(out: ViewWriter, view: View, from: number, to: number): void {
  for (let at = from; at + 2 <= to; at += 2) {
    const byte = 16 * nibble(view.codes[at] ?? 0) + nibble(view.codes[at + 1] ?? 0);
    const shown = byte >= 32 && byte <= 126 ? byte : BREAK;
    out.push(shown, view.from[at] ?? 0, view.to[at + 1] ?? 0);
  }
}

function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Shortest run of base64 or base32 that is read. */
const MIN_RUN = 16;

interface Run {
  start: number;
  bytes: number;
  /** Bits of one sign. */
  width: number;
  signOf: (code: number) => number;
}

/** Base64 and base32 whose content is text again, decoded; what is no text is left out. */
export function decoded(view: View): View | null {
  const { codes } = view;
  const runs: Run[] = [];
  const add = (start: number, end: number, width: number, signOf: Run["signOf"]) => {
    const run = { start, bytes: Math.floor(((end - start) * width) / 8), width, signOf };
    if (beginsAsText(codes, run)) runs.push(run);
  };
  for (let at = 0; at < codes.length; ) {
    let end = at;
    let capital = true;
    while (end < codes.length && base64Value(codes[end] ?? 0) >= 0) {
      capital &&= base32Value(codes[end] ?? 0) >= 0;
      end += 1;
    }
    if (end - at >= MIN_RUN) {
      for (let start = at; start < at + 4; start++) add(start, end, 6, base64Value);
      for (let start = at; capital && start < at + 8; start++) add(start, end, 5, base32Value);
    }
    at = end + 1;
  }
  if (runs.length === 0) return null;
  const out = new ViewWriter(runs.reduce((sum, run) => sum + run.bytes + 1, 0));
  for (const run of runs) pushText(out, view, run);
  return out.view();
}

const BEGINNING = 8;

function beginsAsText(codes: Uint16Array, run: Run): boolean {
  if (run.bytes < BEGINNING) return false;
  let signs = 0;
  for (let index = 0; index < BEGINNING; index++) {
    const byte = byteAt(codes, run, index);
    if (!isText(byte)) return false;
    if (byte !== 0) signs += 1;
  }
  return signs >= BEGINNING / 2;
}

function byteAt(codes: Uint16Array, { start, width, signOf }: Run, index: number): number {
  let value = 0;
  for (let bit = 8 * index; bit < 8 * index + 8; bit++) {
    const sign = signOf(codes[start + Math.floor(bit / width)] ?? 0);
    value = 2 * value + ((sign >> (width - 1 - (bit % width))) & 1);
  }
  return value;
}

function pushText(out: ViewWriter, view: View, run: Run): void {
  for (let index = 0; index < run.bytes; index++) {
    const byte = byteAt(view.codes, run, index);
    if (byte === 0) continue;
    const first = run.start + Math.floor((8 * index) / run.width);
    const last = run.start + Math.floor((8 * index + 7) / run.width);
    out.push(isText(byte) ? byte : BREAK, view.from[first] ?? 0, view.to[last] ?? 0);
  }
  out.push(BREAK, 0, 0);
}

function isText(byte: number): boolean {
  // NUL: every second byte of UTF-16.
  return (byte >= 32 && byte <= 126) || byte === 9 || byte === 10 || byte === 13 || byte === 0;
}

function base64Value(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 43 || code === 45) return 62;
  return code === 47 || code === 95 ? 63 : -1;
}

function base32Value(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  return code >= 50 && code <= 55 ? code - 24 : -1;
}
