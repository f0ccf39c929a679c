import type { Caution } from "./job.ts";
import { removedCases } from "./weakened/cases.ts";
import { changedFiles } from "./weakened/changed-files.ts";
import { loosenedSettings } from "./weakened/loosened.ts";
import { renewedSnapshots, silencedChecks } from "./weakened/silenced.ts";
import { skippedTests } from "./weakened/skips.ts";
import { weakerChecks } from "./weakened/weaker-checks.ts";

/** More than these nobody reads; what is left out is counted. */
const MAX_CAUTIONS = 40;

/**
 * Signs in a unified diff of git that tests were weakened: cases that went, are skipped or check less,
 * settings under which less has to pass. Read from the lines alone, in whatever language; tests that
 * were moved, renamed or written anew as strictly are no sign. Paths and words are the change's own.
 */
export function weakenedTests(patch: string): Caution[] {
  const files = changedFiles(patch);
  const cautions = [
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
