import { placesOf } from "../replace.ts";
import { FORMS, type Lines } from "./lines.ts";
import type { Hunk } from "./parse.ts";

const SHOWN = 10;

/** Why a hunk fits nowhere: the lines that were looked for, and what stands in their place. */
export function whyNotThere(lines: Lines, hunk: Hunk, cursor: number): string {
  const old = hunk.lines.flatMap(({ kind, text }) => (kind === "add" ? [] : [text]));
  const loosest = FORMS.length - 1;
  const wanted = old.map((line) => FORMS[loosest]?.(line) ?? line);
  const stands = lines.form(loosest);
  const [earlier] = placesOf(stands.slice(0, cursor + wanted.length), wanted);
  if (earlier !== undefined) {
    return `the hunk for line ${earlier + 1} comes after one further down: give the hunks in the order of the file, each line in one of them.`;
  }
  const looked = `these lines are not in it:\n${shown(old)}`;
  const near = nearest(stands, wanted);
  if (near === null) return `${looked}\nNone of them is. Read the file again.`;
  const there = lines.texts.slice(near, near + Math.max(old.length, 3));
  return `${looked}\nFrom line ${near + 1} the file has:\n${shown(there)}`;
}

/** The line from which most likely stands what was meant: by the longest line that is in the file. */
function nearest(stands: string[], wanted: string[]): number | null {
  const first = new Map<string, number>();
  for (const [at, line] of stands.entries()) if (!first.has(line)) first.set(line, at);
  const known = wanted.flatMap((line, nth) => {
    const at = first.get(line);
    return at === undefined || line === "" ? [] : [{ length: line.length, from: at - nth }];
  });
  const best = known.toSorted((one, other) => other.length - one.length)[0];
  return best === undefined ? null : Math.max(0, best.from);
}

function shown(lines: string[]): string {
  const more = lines.length > SHOWN ? `\n[and ${lines.length - SHOWN} more lines]` : "";
  return `${lines
    .slice(0, SHOWN)
    .map((line) => line.slice(0, 300).toWellFormed())
    .join("\n")}${more}`;
}
