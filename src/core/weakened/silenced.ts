import type { Caution } from "../job.ts";
import { count } from "../messages/words.ts";
import type { ChangedTextFile } from "./changed-files.ts";
import { gist, isCode, isTestFile } from "./test-code.ts";

/** Comments and marks that keep a checker quiet. */
const QUIET =
  /eslint-disable|tslint:disable|biome-ignore|oxlint-disable|@ts-(?:ignore|nocheck|expect-error)|\/\/\s*nolint|#\s*(?:noqa|nosec|type:\s*ignore|pyright:\s*ignore|pylint:\s*disable|mypy:\s*ignore|ruff:\s*noqa)|rubocop:disable|phpcs:ignore|@phpstan-ignore|@psalm-suppress|@SuppressWarnings|@Suppress\(|#\[allow\(|#pragma warning disable|NOLINT|swiftlint:disable|ktlint-disable|standard:disable|credo:disable/;

/** What keeps code out of the coverage, or a whole file out of the checks. */
const UNCOUNTED =
  /(?:istanbul|c8|v8|node:coverage)\s+(?:ignore|disable)|pragma:\s*no\s*cover|@codeCoverageIgnore|:nocov:|coverage:ignore|#\[coverage\(off\)|ExcludeFromCodeCoverage|LCOV_EXCL|@ts-nocheck|#\s*(?:mypy|ruff|flake8):\s*(?:ignore-errors|noqa)\s*$/;

/** Checks that a change silences by comments. */
export function silencedChecks(files: ChangedTextFile[]): Caution[] {
  const gone = new Set(files.flatMap(({ removed }) => removed.map(({ text }) => gist(text))));
  return files.flatMap((file) => {
    if (!isCode(file.path) || file.status === "deleted") return [];
    const tests = isTestFile(file.path);
    return file.added.flatMap(({ text, line }): Caution[] => {
      const why = UNCOUNTED.test(text)
        ? "code is left out of the coverage or the checks"
        : tests && QUIET.test(text)
          ? "a checker is silenced in a test"
          : null;
      if (why === null || gone.has(gist(text))) return [];
      return [{ kind: "weakened_test", path: file.path, line, why }];
    });
  });
}

const SNAPSHOT =
  /\.(?:snap|ambr|approved\.\w+|golden)$|(?:^|\/)(?:__snapshots__|__image_snapshots__|snapshots|golden|goldens|cassettes)\//i;

/** Entries of recorded output that may change before it counts as renewed wholesale. */
const MAX_ENTRIES = 5;
const MAX_LINES = 40;
const MAX_FILES = 3;

/** Recorded output that a change renews wholesale: it then agrees with whatever the program does. */
export function renewedSnapshots(files: ChangedTextFile[]): Caution[] {
  const changed = files.filter(
    ({ path, status, removed }) => SNAPSHOT.test(path) && status !== "added" && removed.length > 0,
  );
  const lines = changed.reduce((sum, { removed }) => sum + removed.length, 0);
  const entries = changed.reduce(
    (sum, { blocks }) => sum + blocks.filter(({ removed }) => removed.length > 0).length,
    0,
  );
  const first = changed[0];
  if (!first || (lines <= MAX_LINES && entries <= MAX_ENTRIES && changed.length < MAX_FILES))
    return [];
  const where = changed.length === 1 ? "" : ` in ${changed.length} files`;
  const why = `recorded output was renewed wholesale: ${count(lines, "line")} of it went${where}`;
  return [{ kind: "weakened_test", path: first.path, line: null, why }];
}
