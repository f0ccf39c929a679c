import type { Caution } from "./job.ts";

/** Signs in a unified diff that tests were weakened: deleted, skipped, with fewer assertions. */
export function weakenedTests(patch: string): Caution[] {
  const cautions: Caution[] = [];
  for (const file of patch.split(/^(?=diff --git )/m)) {
    const path = /^(?:---|\+\+\+) [ab]\/(.*)$/m.exec(file)?.[1];
    if (path === undefined || !/(?:^|[/._-])(?:tests?|specs?|__tests__)(?:[/._-]|$)/i.test(path)) {
      continue;
    }
    if (/^deleted file mode/m.test(file)) {
      cautions.push({ kind: "weakened_test", path, line: null, why: "the test file was deleted" });
    }
  }
  return cautions;
}
