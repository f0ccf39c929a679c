import { decoded, spelled } from "./secret-decode.ts";
import { formsOf } from "./secret-forms.ts";
import { MIN_PIECE } from "./secret-strength.ts";
import { createPieceTable, type PieceTable } from "./secret-table.ts";
import { readable, squeezed, type View } from "./secret-view.ts";

/** A stretch of a text: [from, to). */
export interface Span {
  from: number;
  to: number;
}

/** Texts are read in parts of this many characters, so that a large one costs no more memory. */
const PART = 1 << 18;
/** What two parts share: more than a piece takes in any spelling. */
const OVERLAP = 1 << 10;

/** How often an encoding inside another is opened. */
const MAX_DEPTH = 2;

/**
 * A function that finds where a text shows one of our secrets or a piece of one: eight characters or
 * more, unless they are ordinary words. It sees through escapes, base64, hex, lists of bytes, reversal
 * and ROT13, and through whatever was put between the characters. Compressed or encrypted values, and
 * pieces that stand apart by words, are beyond it. `secrets` is asked at each call.
 */
export function createKnownSecrets(secrets: Secrets): Find {
  const find = finders.get(secrets) ?? createFinder(secrets);
  finders.set(secrets, find);
  return find;
}

type Secrets = () => string[];
type Find = (text: string) => Span[];

/** Everything that asks for the same secrets shares one index of them. */
const finders = new WeakMap<Secrets, Find>();

function createFinder(secrets: Secrets): Find {
  let given: string[] = [];
  let known: string[] = [];
  let tables = { raw: createPieceTable(), squeezed: createPieceTable() };
  /** Spelling a secret out takes milliseconds; one that stays is spelt once. */
  let spelt = new Map<string, ReturnType<typeof formsOf>>();
  const index = (secret: string) => {
    const forms = spelt.get(secret) ?? formsOf(secret);
    spelt.set(secret, forms);
    for (const form of forms.raw) tables.raw.add(form);
    for (const form of forms.squeezed) tables.squeezed.add(form);
  };
  const bringUpToDate = () => {
    const fresh = secrets();
    if (fresh.length === given.length && fresh.every((secret, at) => secret === given[at])) return;
    given = [...fresh];
    const now = [...new Set(fresh.map((each) => each.trim().toWellFormed()))].filter(
      (secret) => secret.length >= MIN_PIECE,
    );
    const grew = now.length >= known.length && known.every((secret, at) => secret === now[at]);
    if (!grew) tables = { raw: createPieceTable(), squeezed: createPieceTable() };
    for (const secret of grew ? now.slice(known.length) : now) index(secret);
    if (!grew) spelt = new Map([...spelt].filter(([secret]) => now.includes(secret)));
    known = now;
  };
  return (text) => {
    bringUpToDate();
    if (known.length === 0 || text.length < MIN_PIECE) return [];
    const spans: Span[] = [];
    for (let start = 0; start < text.length; start += PART - OVERLAP) {
      for (const { from, to } of spansOf(text.slice(start, start + PART), tables, 0)) {
        spans.push({ from: start + from, to: start + to });
      }
      if (start + PART >= text.length) break;
    }
    return united(spans);
  };
}

interface Tables {
  raw: PieceTable;
  squeezed: PieceTable;
}

function spansOf(text: string, tables: Tables, depth: number): Span[] {
  const seen = readable(text);
  const letters = squeezed(seen);
  const spans = [
    ...found(seen, tables.raw),
    ...found(letters, tables.squeezed),
    ...spelled(seen).flatMap((view) => [
      ...found(view, tables.raw),
      ...found(squeezed(view), tables.squeezed),
    ]),
  ];
  const inner = depth < MAX_DEPTH ? decoded(seen) : null;
  if (inner === null) return spans;
  for (const { from, to } of spansOf(textOf(inner), tables, depth + 1)) {
    spans.push({ from: inner.from[from] ?? 0, to: inner.to[to - 1] ?? 0 });
  }
  return spans;
}

function textOf({ codes }: View): string {
  let text = "";
  for (let at = 0; at < codes.length; at += 8192) {
    text += String.fromCharCode(...codes.subarray(at, at + 8192));
  }
  return text;
}

/** What a view shows of the secrets, as spans of the text: two where what stands between them is kept. */
function found(view: View, table: PieceTable): Span[] {
  return table.search(view.codes).flatMap(({ from, to }) => {
    const spans: Span[] = [];
    for (let at = from; at < to; at++) {
      const span = { from: view.from[at] ?? 0, to: view.to[at] ?? 0 };
      const last = spans.at(-1);
      if (last && last.to === span.from) last.to = span.to;
      else spans.push(span);
    }
    return joined(spans);
  });
}

/** Short parts of one find become one; the line end or quote between long ones stays. */
function joined(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    const long = last && Math.min(last.to - last.from, span.to - span.from) >= 2 * MIN_PIECE;
    if (last && !long) last.to = span.to;
    else out.push(span);
  }
  return out;
}

/** Overlapping and touching spans as one, in order. */
export function united(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = out.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else out.push({ ...span });
  }
  return out;
}
