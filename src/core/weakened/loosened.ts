import type { Caution } from "../job.ts";
import type { ChangedTextFile, PatchLine } from "./changed-files.ts";
import { isNarrowed, lessStrict, warn } from "./less-strict.ts";
import { gist, isTestFile } from "./test-code.ts";

/** Files that say how a project is tested, checked and built. */
const SETTINGS =
  /(?:^|\/)(?:package\.json|(?:vitest|jest|playwright|cypress|karma|ava|wdio|nyc|vite|babel|rollup|webpack|eslint|biome|stryker)[\w.-]*\.(?:[cm]?[jt]s|jsonc?)|\.(?:nycrc|c8rc|mocharc|taprc|babelrc|eslintrc|coveragerc|rspec|simplecov|rubocop|golangci|pylintrc|flake8|eslintignore|stylelintrc)[\w.]*|tsconfig[\w.-]*\.json|biome\.jsonc?|pytest\.ini|tox\.ini|setup\.cfg|pyproject\.toml|noxfile\.py|mypy\.ini|ruff\.toml|conftest\.py|codecov\.ya?ml|sonar-project\.properties|phpunit[\w.]*\.xml(?:\.dist)?|phpstan[\w.]*\.neon|pom\.xml|build\.gradle(?:\.kts)?|build\.sbt|Cargo\.toml|clippy\.toml|Rakefile|Makefile|GNUmakefile|justfile|Taskfile\.ya?ml|mix\.exs|Package\.swift|dart_test\.yaml|analysis_options\.yaml|Jenkinsfile|\.(?:gitlab-ci|travis|drone|appveyor|pre-commit-config)\.ya?ml|azure-pipelines\.ya?ml|codex\.ya?ml)$|(?:^|\/)(?:\.github\/workflows|\.circleci|\.buildkite|\.husky|ci|scripts?|bin|tools)\//;

const SCRIPT = /\.(?:sh|bash|ps1|cmd|bat|mk)$|(?:^|\/)(?:Makefile|justfile|Rakefile|Jenkinsfile)$/;

const RUNNER =
  /\b(?:tests?|specs?|check|lint|cover(?:age)?|verify|validate|tsc|jest|vitest|mocha|ava|tap|playwright|cypress|eslint|biome|pytest|tox|nox|mypy|ruff|flake8|pylint|cargo|clippy|go vet|mvn|gradlew?|rspec|rubocop|phpunit|phpstan|ctest|dotnet|mix|swift|stryker)\b/i;

type Sign = [pattern: RegExp, why: string];

/** What lets a run pass that would have failed. */
const PASSES: Sign[] = [
  [
    /\|\|\s*(?:true|:|exit 0|echo\b|\(exit 0\))|;\s*(?:true|exit 0)\b|&\s*exit \/b 0/,
    "a failing command passes now",
  ],
  [
    /\bcontinue-on-error:\s*true|\ballow_failure:\s*true|\bignore_(?:errors|failure|outcome):\s*(?:true|yes)|\bfast_finish:\s*true/,
    "a failing step passes now",
  ],
  [
    /\bset \+e\b|\btestFailureIgnore\b.*true|\bmaven\.test\.failure\.ignore|\bignoreFailures\s*=\s*true|\bhaltonfailure\s*=\s*"?(?:no|false)|\bfailOnError\b.*false|--exit-zero\b|\bSilentlyContinue\b/,
    "a failing command passes now",
  ],
  [/pass-?with-?no-?tests/i, "a run without tests passes now"],
  [/\bdangerouslyIgnoreUnhandledErrors\b["']?\s*:\s*true/, "a failing run passes now"],
  [
    /(?:jest|vitest|test)\b.*\s(?:-u\b|--update\b|--updateSnapshot|--update-snapshots?|--snapshot-update)/,
    "recorded output is renewed whenever tests run",
  ],
  [
    /-DskipTests|-Dmaven\.test\.skip|\bskipTests\b\s*(?:>|=|:)\s*true|-x\s+test\b|--exclude-task\s+test\b|--no-run\b|--collect-only\b|--listTests\b/,
    "tests are not run",
  ],
];

/** What runs fewer tests, or runs them until they pass. */
const FEWER: Sign[] = [
  [
    /--(?:ignore|deselect|testPathIgnorePatterns|exclude|skip|filter-out|ignore-glob)[= ]|(?:^|\s)-k\s+["']?not\b|-m\s+["']not\b|--(?:grep|invert|testNamePattern|onlyChanged|only-changed|changed|findRelatedTests|shard)\b/,
    "fewer tests run",
  ],
  [
    /\b(?:testNamePattern|grepInvert|excludedGroups|excludeCategories)["']?\s*[:=>]|\bexcludeTags\b|<exclude>[^<]*(?:Test|IT|Spec)|^\s*exclude\s+["']|--tag\s+~|^\s*test\s*=\s*false\b/,
    "fewer tests run",
  ],
  [
    /\b(?:jest\.retryTimes\(|retry(?:Times)?\s*[:=(]\s*[1-9]|retries\s*[:=]\s*[1-9]|--retr(?:y|ies)[= ]?[1-9]|--reruns[= ]?[1-9]|flaky\(|rerunFailingTestsCount|maxRetries\s*[:=]\s*[1-9]|maxParallelForks)/,
    "failing tests are tried again",
  ],
];

const LISTS =
  /(?:testPathIgnorePatterns|modulePathIgnorePatterns|coveragePathIgnorePatterns|watchPathIgnorePatterns|testIgnore|specIgnore|excludeSpecPattern|exclude(?:d|s)?|ignore(?:d|Patterns|Files)?|norecursedirs|collect_ignore(?:_glob)?|omit|addopts|skip(?:ped)?|disable(?:d)?|blacklist|denylist)["']?\s*[:=]/i;

const CHOICES =
  /(?:testMatch|testRegex|testpaths|roots|python_files|python_functions|spec|specPattern|include|files)["']?\s*[:=]/;

/** Settings by which fewer tests run, less must be covered, or failures pass. */
export function loosenedSettings(files: ChangedTextFile[]): Caution[] {
  return files.flatMap((file) => {
    if (file.status === "deleted") return removedSettings(file);
    if (!SETTINGS.test(file.path) && !SCRIPT.test(file.path)) return [];
    return unique([
      ...signs(file),
      ...shortened(file),
      ...lists(file),
      ...file.blocks.flatMap((block) => lessStrict(file, block)),
    ]);
  });
}

function unique(cautions: Caution[]): Caution[] {
  const seen = new Set<string>();
  return cautions.filter(({ line, why }) => {
    const key = `${line} ${why}`;
    return !seen.has(key) && seen.add(key);
  });
}

function removedSettings(file: ChangedTextFile): Caution[] {
  const isOwn =
    /(?:vitest|jest|playwright|mocharc|pytest\.ini|nycrc|c8rc|coveragerc|phpunit|codecov|eslint|mypy\.ini)/i;
  return isOwn.test(file.path.split("/").at(-1) ?? "") && !isTestFile(file.path)
    ? [warn(file, null, "the settings of a test runner or linter were deleted")]
    : [];
}

function signs(file: ChangedTextFile): Caution[] {
  const before = file.removed.map(({ text }) => text);
  const hadAny = (pattern: RegExp) => before.filter((text) => pattern.test(text)).length;
  return [...PASSES, ...FEWER].flatMap(([pattern, why]) => {
    let known = hadAny(pattern);
    return file.added
      .filter(({ text }) => pattern.test(text) && !/^\s*(?:#|\/\/|;)/.test(text))
      .filter(
        ({ text }) => !SCRIPT.test(file.path) || RUNNER.test(text) || !/\|\||;|set \+e/.test(text),
      )
      .filter(() => known-- <= 0)
      .map(({ line }) => warn(file, line, why));
  });
}

/** Lines of a script that others are compared with. */
const MAX_COMPARED = 50;

/** Lines of a script that went, by which it ran tests or failed with them. */
function shortened(file: ChangedTextFile): Caution[] {
  if (!SCRIPT.test(file.path)) return [];
  const makes = /makefile$|\.mk$/i.test(file.path);
  const runs = (lines: PatchLine[]) =>
    lines.filter(
      ({ text }) =>
        RUNNER.test(text) && !/^\s*(?:#|echo\b)/.test(text) && !/^[\w.-]+\s*:/.test(text),
    );
  const stops = (lines: PatchLine[]) =>
    lines.filter(({ text }) => /^\s*set\s+-(?:[a-z]*e|o\s+(?:errexit|pipefail))/.test(text));
  const before = runs(file.removed);
  const now = runs(file.added);
  const [ran] = before;
  const [stopped] = stops(file.removed);
  const fewer = now.length < before.length;
  const near = before.slice(0, MAX_COMPARED);
  const narrowed = now.filter(({ text }) => near.some((line) => isNarrowed(line.text, text)));
  const passing = file.added.filter(
    ({ text }) =>
      (makes && /^\t[@+]*-/.test(text) && RUNNER.test(text)) ||
      (RUNNER.test(file.path) && /^exit 0\s*$/.test(text)),
  );
  return [
    ...(fewer && ran ? [warn(file, ran.line, "the script runs fewer tests or checks")] : []),
    ...(stopped && stops(file.added).length === 0
      ? [warn(file, stopped.line, "a failing command passes now")]
      : []),
    ...narrowed.map(({ line }) =>
      warn(file, line, "the script names files now, and leaves out the others"),
    ),
    ...passing.map(({ line }) => warn(file, line, "a failing command passes now")),
  ];
}

/** Entries added to a list of what is left out, or taken from a list of what is run. */
function lists(file: ChangedTextFile): Caution[] {
  return file.hunks.flatMap((hunk) => {
    const cautions: Caution[] = [];
    const isMoved = movedIn(hunk);
    const oldWith = oldLines(hunk);
    let open: { indent: number; kind: "left out" | "run" } | null = null;
    for (const line of hunk) {
      const indent = /^\s*/.exec(line.text)?.[0].length ?? 0;
      const kind = LISTS.test(line.text) ? "left out" : CHOICES.test(line.text) ? "run" : null;
      if (kind !== null) {
        open = /[[({]\s*$|[:=]\s*$/.test(line.text) ? { indent, kind } : null;
        cautions.push(...inline(file, line, kind, oldWith));
      } else if (open && line.text.trim() !== "" && indent <= open.indent) {
        open = null;
      } else if (open && line.sign !== " " && isEntry(line.text) && !isMoved(line)) {
        if (open.kind === "left out" && line.sign === "+") {
          cautions.push(warn(file, line.line, "more is left out of the tests or checks"));
        }
        if (open.kind === "run" && line.sign === "-") {
          cautions.push(warn(file, line.line, "fewer tests are found"));
        }
      }
    }
    return cautions;
  });
}

function isEntry(text: string): boolean {
  return /["'\w/*.-]/.test(text) && !/^\s*(?:#|\/\/)/.test(text);
}

/** Tells whether the same entry stands on the other side of a hunk, which may have a million lines. */
function movedIn(hunk: PatchLine[]): (line: PatchLine) => boolean {
  const gists = (sign: PatchLine["sign"]) =>
    new Set(hunk.filter((line) => line.sign === sign).map(({ text }) => gist(text)));
  const came = gists("+");
  const went = gists("-");
  return ({ sign, text }) => (sign === "+" ? went : came).has(gist(text));
}

/** Finds the first line of a hunk that went and holds a key; each key is looked for once. */
function oldLines(hunk: PatchLine[]): (key: string) => PatchLine | undefined {
  const went = hunk.filter(({ sign }) => sign === "-");
  const found = new Map<string, PatchLine | undefined>();
  return (key) => {
    if (!found.has(key)) {
      found.set(
        key,
        went.find(({ text }) => text.includes(key)),
      );
    }
    return found.get(key);
  };
}

/** What nobody tests or checks anyway. */
const BUILT =
  /["'](?:\*\*\/)?(?:dist|build|out|coverage|node_modules|target|vendor|\.next|\.turbo)(?:\/\*\*|\/)?["']/g;

function inline(
  file: ChangedTextFile,
  line: PatchLine,
  kind: "left out" | "run",
  oldWith: (key: string) => PatchLine | undefined,
): Caution[] {
  if (line.sign !== "+" || !/[\]"'\w]\s*,?\s*$/.test(line.text)) return [];
  const key = /["']?([\w.-]+)["']?\s*[:=]/.exec(line.text)?.[1] ?? "";
  const old = oldWith(key);
  const entries = (text: string) =>
    (
      text
        .slice(text.search(/[:=]/))
        .replace(BUILT, "")
        .match(/["'][^"']*["']|[\w./*-]+/g) ?? []
    ).length;
  const [now, before] = [entries(line.text), old ? entries(old.text) : 0];
  if (kind === "left out" && now > before && !/[:=]\s*(?:false|\[\s*\]|\{\s*\})/.test(line.text)) {
    return [warn(file, line.line, "more is left out of the tests or checks")];
  }
  if (kind === "run" && old && gist(old.text) !== gist(line.text) && now <= before) {
    return [warn(file, line.line, "other tests are found than before")];
  }
  return [];
}
