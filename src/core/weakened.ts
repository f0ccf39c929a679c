import type { Caution } from "./job.ts";
import { removedCases } from "./weakened/cases.ts";
import { type ChangedTextFile, changedFiles } from "./weakened/changed-files.ts";
import { loosenedSettings } from "./weakened/loosened.ts";
import { renewedSnapshots, silencedChecks } from "./weakened/silenced.ts";
import { skippedTests } from "./weakened/skips.ts";
import { holdsTests } from "./weakened/test-code.ts";
import { weakerChecks } from "./weakened/weaker-checks.ts";

/** More than these nobody reads; what is left out is counted. */
const MAX_CAUTIONS = 40;

/** Of a change that are looked at: nothing else is answered meanwhile. The largest files go first. */
const MAX_CHARACTERS = 1024 * 1024;

/**
 * Signs in a unified diff of git that tests were weakened: cases that went, are skipped or check less,
 * settings under which less has to pass. Read from the lines alone, in whatever language; tests that
 * were moved, renamed or written anew as strictly are no sign. Paths and words are the change's own.
 */
export function weakenedTests(patch: string): Caution[] {
  const { files, unread } = withinReach(changedFiles(patch));
  const cautions = [
    ...unread,
    ...removedCases(files),
    ...skippedTests(files),
    ...weakerChecks(files),
    ...loosenedSettings(files),
    ...silencedChecks(files),
    ...renewedSnapshots(files),
  ];
  const rest = cautions.slice(MAX_CAUTIONS);
  const [next] = rest;
  if (!next) return cautions;
  const why = `and ${rest.length} more signs of weakened tests, here and elsewhere`;
  return [...cautions.slice(0, MAX_CAUTIONS), { ...next, line: null, why }];
}

/** The smaller files of a change up to a bound, and what is said of the rest. */
function withinReach(all: ChangedTextFile[]): { files: ChangedTextFile[]; unread: Caution[] } {
  const kept = new Set<ChangedTextFile>();
  let left = MAX_CHARACTERS;
  for (const { file, size } of all
    .map((file) => ({ file, size: sizeOf(file) }))
    .toSorted((one, other) => one.size - other.size)) {
    left -= size;
    if (left < 0) break;
    kept.add(file);
  }
  const files = all.filter((file) => kept.has(file));
  const [first, ...rest] = all.filter((file) => !kept.has(file) && holdsTests(file.path));
  if (!first) return { files, unread: [] };
  const more = rest.length;
  const others = more === 0 ? "" : ` and ${more} more ${more === 1 ? "file" : "files"}`;
  const why = `this file${others} changed too much to be looked through for weaker tests`;
  return { files, unread: [{ kind: "weakened_test", path: first.path, line: null, why }] };
}

function sizeOf({ hunks }: ChangedTextFile): number {
  return hunks.flat().reduce((sum, { text }) => sum + text.length + 1, 0);
}
