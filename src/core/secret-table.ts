import type { Form } from "./secret-forms.ts";
import { MIN_PIECE } from "./secret-strength.ts";

/** Finds pieces of many forms in one pass over a text, whatever their number. */
export interface PieceTable {
  add(form: Form): void;
  /** Stretches of `codes` that are pieces of a form, as long as they go on: [from, to), in order. */
  search(codes: Uint16Array): { from: number; to: number }[];
}

const BASE = 0x01000193;
const LEAVING = power(BASE, MIN_PIECE - 1);

function power(base: number, exponent: number): number {
  return exponent === 0 ? 1 : Math.imul(base, power(base, exponent - 1));
}

/** Spreads a rolling sum over all bits, so that its low ones can be used. */
function mixed(sum: number): number {
  const high = Math.imul(sum ^ (sum >>> 16), 0x7feb352d);
  return (high ^ (high >>> 15)) >>> 0;
}

/**
 * The first eight signs of every piece in a hash table over the forms themselves, behind a bitmap that
 * turns away nearly all of a text: a megabyte takes milliseconds, a form as many bytes as it has signs
 * a few times over.
 */
export function createPieceTable(): PieceTable {
  let codes = new Uint16Array(1 << 12);
  let lengths = new Uint16Array(1 << 12);
  let used = 1;
  let pieces = 0;
  let slots = new Uint32Array(1 << 10);
  let bitmap = new Uint32Array(1 << 10);

  const sumAt = (text: Uint16Array, at: number) => {
    let sum = 0;
    for (let each = at; each < at + MIN_PIECE; each++)
      sum = Math.imul(sum, BASE) + (text[each] ?? 0);
    return sum | 0;
  };

  /** How many signs agree from there on; a form ends in a zero, which agrees with nothing. */
  const agreement = (text: Uint16Array, at: number, place: number) => {
    let length = 0;
    while (
      at + length < text.length &&
      codes[place + length] !== 0 &&
      codes[place + length] === text[at + length]
    ) {
      length += 1;
    }
    return length;
  };

  const insert = (place: number) => {
    const hash = mixed(sumAt(codes, place));
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const other = slots[slot] ?? 0;
      if (other === 0) break;
      // The same piece of another form finds the same.
      if (agreement(codes, place, other) >= (lengths[other] ?? 0)) return;
      slot = (slot + 1) & mask;
    }
    slots[slot] = place;
    pieces += 1;
    const bit = hash >>> 7;
    const word = (bit >>> 5) & (bitmap.length - 1);
    bitmap[word] = (bitmap[word] ?? 0) | (1 << (bit & 31));
  };

  const grow = () => {
    const places: number[] = [];
    for (const place of slots) if (place !== 0) places.push(place);
    slots = new Uint32Array(2 * slots.length);
    bitmap = new Uint32Array(Math.min(1 << 20, slots.length));
    pieces = 0;
    for (const place of places) insert(place);
  };

  const longest = (text: Uint16Array, at: number, hash: number) => {
    let most = 0;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = slots[slot] ?? 0;
      if (place === 0) return most;
      const length = agreement(text, at, place);
      if (length >= (lengths[place] ?? 0)) most = Math.max(most, length);
    }
  };

  return {
    add(form) {
      const size = form.codes.length;
      if (used + size + 1 > codes.length) {
        codes = larger(codes, used + size + 1);
        lengths = larger(lengths, used + size + 1);
      }
      codes.set(form.codes, used);
      lengths.set(form.lengths, used);
      for (let at = 0; at < size; at++) {
        if (form.lengths[at] === 0) continue;
        if (2 * pieces >= slots.length) grow();
        insert(used + at);
      }
      used += size + 1;
    },
    search(text) {
      const found: { from: number; to: number }[] = [];
      const words = bitmap.length - 1;
      let sum = 0;
      let filled = 0;
      let done = 0;
      for (let end = 0; end < text.length; end++) {
        if (filled === MIN_PIECE) {
          sum = (sum - Math.imul(text[end - MIN_PIECE] ?? 0, LEAVING)) | 0;
        } else {
          filled += 1;
        }
        sum = (Math.imul(sum, BASE) + (text[end] ?? 0)) | 0;
        if (filled < MIN_PIECE) continue;
        const hash = mixed(sum);
        const bit = hash >>> 7;
        if ((((bitmap[(bit >>> 5) & words] ?? 0) >>> (bit & 31)) & 1) === 0) continue;
        const from = end - MIN_PIECE + 1;
        // What was found goes as far as it can; only a piece that leads beyond it is news.
        if (end < done) continue;
        const length = longest(text, from, hash);
        if (length === 0) continue;
        done = from + length;
        found.push({ from, to: done });
      }
      return found;
    },
  };
}

function larger(array: Uint16Array<ArrayBuffer>, size: number): Uint16Array<ArrayBuffer> {
  const copy = new Uint16Array(Math.max(2 * array.length, size));
  copy.set(array);
  return copy;
}
