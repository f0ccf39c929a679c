import { placesOf } from "../replace.ts";
import { indentAs, type LinePair } from "./indent.ts";
import { FORMS, type Lines, linesOf, plain } from "./lines.ts";
import type { Hunk, HunkLine } from "./parse.ts";
import { whyNotThere } from "./why-not.ts";

/** A text after its hunks, or why there is none, in words a model can act on. */
export type Patched = { status: "patched"; text: string } | { status: "failed"; reason: string };

/** Puts hunks into a text, in order. Line ends, a mark at the beginning and a missing last line feed stay. */
export function applyHunks(text: string, hunks: Hunk[]): Patched {
  const mark = text.startsWith("\ufeff") ? "\ufeff" : "";
  const body = text.slice(mark.length);
  const parts = body === "" ? [] : body.split("\n");
  const lineFeedAtEnd = body === "" || parts.at(-1) === "";
  if (parts.at(-1) === "") parts.pop();
  const ended = lineFeedAtEnd ? parts : parts.slice(0, -1);
  const dos = ended.filter((part) => part.endsWith("\r")).length * 2 > ended.length;
  const known = parts.map((part, at): Line => {
    if (at === parts.length - 1 && !lineFeedAtEnd) return { text: part, dos };
    return { text: part.replace(/\r$/, ""), dos: part.endsWith("\r") };
  });
  const lines = linesOf(known.map((line) => line.text));
  const made: Line[][] = [];
  let cursor = 0;
  for (const hunk of hunks) {
    const found = place(lines, hunk, cursor);
    if (found.status === "failed") return found;
    made.push(known.slice(cursor, found.from));
    cursor = found.from;
    const indented = indentAs(
      pairsOf(found.lines, lines.texts.slice(found.from, found.from + found.lines.length)),
    );
    for (const { kind, text: own } of found.lines) {
      if (kind === "add") made.push([{ text: indented(own), dos }]);
      else {
        if (kind === "keep") made.push(known.slice(cursor, cursor + 1));
        cursor += 1;
      }
    }
  }
  const all = [...made.flat(), ...known.slice(cursor)];
  const written = all.map((line, at) => {
    if (at === all.length - 1 && !lineFeedAtEnd) return line.text;
    return `${line.text}${line.dos ? "\r\n" : "\n"}`;
  });
  return { status: "patched", text: mark + written.join("") };
}

/** A line without its end, and whether that is the one of DOS. */
interface Line {
  text: string;
  dos: boolean;
}

type Placed =
  | { status: "placed"; from: number; lines: HunkLine[] }
  | { status: "failed"; reason: string };

/** What the hunk has of the file, and what stands there. */
function pairsOf(lines: HunkLine[], stand: string[]): LinePair[] {
  const old = lines.filter(({ kind }) => kind !== "add");
  return old.map(({ text }, at) => ({ written: text, stands: stand[at] ?? "" }));
}

/** Where a hunk goes: behind the one before, at the only place that has its lines or the first below its header. */
function place(lines: Lines, hunk: Hunk, cursor: number): Placed {
  const { headers, atEnd } = hunk;
  for (const own of [hunk.lines, withoutLastEmpty(hunk.lines)]) {
    if (own === null) continue;
    const old = own.flatMap(({ kind, text }) => (kind === "add" ? [] : [text]));
    if (old.length === 0) {
      if (headers.length === 0 || atEnd) {
        return { status: "placed", from: lines.texts.length, lines: own };
      }
      const tops = below(lines, headers, cursor);
      const [top] = tops;
      if (tops.length === 1 && top) return { status: "placed", from: top.to + 1, lines: own };
      return { status: "failed", reason: headerTrouble(headers, tops.length) };
    }
    for (const nth of FORMS.keys()) {
      const places = find(lines, old, nth, cursor);
      if (places.length === 0) continue;
      const last = places.at(-1);
      if (atEnd && last !== undefined && last + old.length === lines.texts.length) {
        return { status: "placed", from: last, lines: own };
      }
      const [only] = places;
      if (places.length === 1 && only !== undefined) {
        return { status: "placed", from: only, lines: own };
      }
      const tops = below(lines, headers, cursor);
      const chosen = tops.flatMap(({ from, to, until }) => {
        const first = places.find((each) => each >= to || (each <= from && each + old.length > to));
        return first !== undefined && first < until ? [first] : [];
      });
      const [from] = chosen;
      if (chosen.length === 1 && from !== undefined) return { status: "placed", from, lines: own };
      return { status: "failed", reason: ambiguous(old, places) };
    }
  }
  return { status: "failed", reason: whyNotThere(lines, hunk, cursor) };
}

/** 0-based first lines of a run of lines, at or behind a line. */
function find(lines: Lines, run: string[], nth: number, from: number): number[] {
  const form = FORMS[nth] ?? plain;
  return placesOf(lines.form(nth).slice(from), run.map(form), true).map((at) => at + from);
}

/**
 * Where headers lead: from the first line of each run of them to the last, and until where the next such
 * run begins. Each header below the first is the next one that is found.
 */
function below(
  lines: Lines,
  headers: string[],
  cursor: number,
): { from: number; to: number; until: number }[] {
  const [outer, ...inner] = headers;
  if (outer === undefined) return [];
  const starts = headerLines(lines, outer, cursor);
  return starts.flatMap((from, at) => {
    const until = starts[at + 1] ?? lines.texts.length;
    let to = from;
    for (const header of inner) {
      const [next] = headerLines(lines, header, to + 1);
      if (next === undefined || next >= until) return [];
      to = next;
    }
    return [{ from, to, until }];
  });
}

function headerLines(lines: Lines, header: string, from: number): number[] {
  for (const nth of FORMS.keys()) {
    const places = find(lines, [header], nth, from);
    if (places.length > 0) return places;
  }
  const start = plain(header);
  return lines.form(FORMS.length - 1).flatMap((line, at) => {
    return at >= from && line.startsWith(start) ? [at] : [];
  });
}

/** Without an empty line of context at the end, where models see one behind the last line feed. */
function withoutLastEmpty(lines: HunkLine[]): HunkLine[] | null {
  const last = lines.at(-1);
  return last?.kind === "keep" && last.text.trim() === "" ? lines.slice(0, -1) : null;
}

function ambiguous(old: string[], places: number[]): string {
  const at = places.slice(0, 10).map((place) => place + 1);
  return `these lines stand ${places.length} times in it (from lines ${at.join(", ")}): give more lines around them, or name the line above with @@.\n${old.slice(0, 8).join("\n")}`;
}

function headerTrouble(headers: string[], times: number): string {
  const names = headers.map((header) => JSON.stringify(header.slice(0, 200))).join(", then ");
  return times === 0
    ? `it has no line ${names} to add lines below.`
    : `${names} stands ${times} times in it: give lines of context for what is to be added.`;
}
