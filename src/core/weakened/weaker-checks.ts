import type { Caution } from "../job.ts";
import { count } from "../messages/words.ts";
import type { Block, ChangedTextFile } from "./changed-files.ts";
import { type Check, checksOf } from "./checks.ts";
import { gist, holdsTests, withoutComment } from "./test-code.ts";
import { removedRows, unheededChecks } from "./unheeded.ts";

const DEMANDS = [
  "is always true",
  "only looks whether there is something",
  "looks at a part or a bound only",
];

/** Tests that check less than before: fewer checks, weaker ones, ones that always hold. */
export function weakerChecks(files: ChangedTextFile[]): Caution[] {
  const tests = files.filter(({ path, oldPath }) => holdsTests(path) || holdsTests(oldPath));
  const moved = movedChecks(tests);
  const came = new Set(files.flatMap(({ added }) => added.map(({ text }) => gist(text))));
  return tests.flatMap((file) => [
    ...file.blocks.flatMap((block) => weaker(file, block)),
    ...swallowed(file),
    ...unheededChecks(file),
    ...removedRows(file, came),
    ...fewer(file, moved),
  ]);
}

function warn(file: ChangedTextFile, line: number | null, why: string): Caution {
  return { kind: "weakened_test", path: file.path, line, why };
}

/** Checks that replace stricter ones in the same place. */
function weaker(file: ChangedTextFile, block: Block): Caution[] {
  const cautions: Caution[] = [];
  const came = checksOf(block.added);
  const went = without(checksOf(block.removed), came, (check) => check.gist);
  const compare = (before: Check, now: Check) => {
    if (now.level >= before.level) return;
    cautions.push(
      warn(file, now.line.line, `a check was replaced by one that ${DEMANDS[now.level]}`),
    );
  };
  const rest = without(went, came, (check) => check.subject, compare);
  // Nothing else tells which replaces which.
  if (rest.length === came.length)
    for (const [at, now] of came.entries()) compare(rest[at] ?? now, now);
  const told = new Set(cautions.map(({ line }) => line));
  for (const { level, line } of came) {
    if (level === 0 && !told.has(line.line)) {
      cautions.push(warn(file, line.line, "a check was added that is always true"));
    }
  }
  return cautions;
}

/** The checks of `all` that none of `others` shares a key with; one that does is taken out of `others`. */
function without(
  all: Check[],
  others: Check[],
  keyOf: (check: Check) => string,
  paired?: (check: Check, other: Check) => void,
): Check[] {
  const byKey = new Map<string, Check[]>();
  for (const other of others) {
    const same = byKey.get(keyOf(other));
    if (same) same.push(other);
    else byKey.set(keyOf(other), [other]);
  }
  const taken = new Set<Check>();
  const rest = all.filter((check) => {
    const other = keyOf(check) === "" ? undefined : byKey.get(keyOf(check))?.shift();
    if (!other) return true;
    taken.add(other);
    paired?.(check, other);
    return false;
  });
  // One by one: as arguments of a call there can be too many.
  const left = others.filter((other) => !taken.has(other));
  others.length = 0;
  for (const other of left) others.push(other);
  return rest;
}

const SWALLOWED =
  /catch\s*(?:\([^)]*\))?\s*\{\s*\}|\.catch\(\s*(?:\(\w*\)|\w+)\s*=>\s*(?:\{\s*\}|undefined|null)\s*\)|except\b[^:]*:\s*pass\b|\brescue\b.*;\s*(?:nil|end)\b/;

function swallowed(file: ChangedTextFile): Caution[] {
  const gone = new Set(file.removed.map(({ text }) => gist(text)));
  return file.added
    .filter(({ text }) => SWALLOWED.test(withoutComment(text)) && !gone.has(gist(text)))
    .map(({ line }) => warn(file, line, "errors in a test are swallowed"));
}

/** Checks that came to one file while they went from another one. */
function movedChecks(files: ChangedTextFile[]): Map<string, number> {
  const came = new Map<string, number>();
  for (const file of files.filter(({ path }) => holdsTests(path))) {
    const added = checksOf(file.added);
    without(checksOf(file.removed), added, (check) => check.gist);
    for (const check of added) came.set(check.gist, (came.get(check.gist) ?? 0) + 1);
  }
  return came;
}

const MANY =
  /\.each\b|parametri[sz]e|\bfor\b.*\b(?:of|in|range)\b|\bfor\s*\(|forEach|TestCase\(|DataRow|subTest\(/;

/** A file that holds fewer checks than before, without those that were moved to another one. */
function fewer(file: ChangedTextFile, moved: Map<string, number>): Caution[] {
  if (file.status === "deleted") return [];
  const added = checksOf(file.added);
  const came = added.length;
  const removed = checksOf(file.removed);
  const gone = without(removed, added, (check) => check.gist).filter((check) => {
    const held = moved.get(check.gist) ?? 0;
    // What came to this file itself was taken out before.
    moved.set(check.gist, Math.max(0, held - 1));
    return held === 0;
  });
  if (gone.length <= added.length) return [];
  const commented = gone.filter(({ line }) =>
    file.added.some(({ text }) => text.includes(line.text.trim()) && withoutComment(text) === ""),
  );
  const loop = came > 0 && file.added.some(({ text }) => MANY.test(text));
  const how =
    commented.length > 0
      ? `${count(commented.length, "check")} commented out`
      : `${count(removed.length, "check")} became ${came}${loop ? ", now in a loop or table" : ""}`;
  return [warn(file, gone[0]?.line.line ?? null, `the file checks less than before: ${how}`)];
}
