import type { Caution } from "../job.ts";
import type { Block, ChangedTextFile, PatchLine } from "./changed-files.ts";
import { gist } from "./test-code.ts";

/** A threshold by its name, with the number it asks for. */
const THRESHOLD =
  /["']?(?<name>branches|functions|lines|statements|fail[_-]under|cov-fail-under|minimum(?:_coverage|Coverage)?|min[_-]?coverage|threshold|target|perFile|max-warnings|max_complexity|break|msi|min-?msi|coverage)["']?\s*[:=> ]\s*["']?(?<value>\d+(?:\.\d+)?)\b/gi;

/** Settings that make a compiler, linter or runner stricter. */
const STRICT =
  /["'](?<name>strict\w*|no(?:Implicit|Unchecked|Unused|Fallthrough|PropertyAccess|Emit)\w*|exactOptional\w*|useUnknown\w*|alwaysStrict|check(?:Js|-coverage)|checkCoverage|all|typeCheck\w*|forbidOnly|warn_\w+|disallow_\w+|failOn\w+|allowOnly|errorOn\w+)["']?\s*[:=]\s*(?<value>true|false)/i;
const STRICT_PY =
  /^\s*(?<name>strict\w*|disallow_\w+|warn_\w+|check_untyped_defs|no_implicit_\w+|xfail_strict|checkCoverage|check-coverage|forbidOnly|allowOnly|checkJs)\s*[:=]\s*["']?(?<value>true|false)/i;
const LAX =
  /["']?(?:allowOnly|skipLibCheck|ignore_errors|ignore_missing_imports|suppressImplicitAnyIndexErrors|allowUnreachableCode|isolatedModules)["']?\s*[:=]\s*(?:true|yes)/i;

const RULE =
  /["']?(?<name>[@\w/-]+)["']?\s*:\s*\[?\s*(?<value>["'](?:off|warn|error|info|on)["']|[012](?=\s*[,\]}]|$))/;
const LEVELS: Record<string, number> = {
  off: 0,
  0: 0,
  info: 0.5,
  warn: 1,
  1: 1,
  on: 2,
  error: 2,
  2: 2,
};

/** Settings of one block of changed lines that ask for less than before. */
export function lessStrict(file: ChangedTextFile, block: Block): Caution[] {
  return [
    ...thresholds(file, block),
    ...switches(file, block),
    ...rules(file, block),
    ...(file.path.endsWith("package.json") ? scripts(file, block) : []),
  ];
}

/** A caution about settings. */
export function warn(file: ChangedTextFile, line: number | null, why: string): Caution {
  return { kind: "weakened_test", path: file.path, line, why };
}

/** Thresholds that ask for less, or went. */
function thresholds(file: ChangedTextFile, { removed, added }: Block): Caution[] {
  const of = (lines: PatchLine[]) =>
    lines.flatMap((line) =>
      [...line.text.matchAll(THRESHOLD)].map(({ groups }) => ({
        name: groups?.name?.toLowerCase() ?? "",
        value: Number(groups?.value),
        line: line.line,
      })),
    );
  const now = of(added);
  return of(removed).flatMap(({ name, value, line }) => {
    const at = now.findIndex((each) => each.name === name);
    const [match] = at >= 0 ? now.splice(at, 1) : [];
    const more = /max/.test(name);
    if (!match) {
      return more ? [] : [warn(file, line, `the threshold ${name} of ${value} was removed`)];
    }
    return (more ? match.value > value : match.value < value)
      ? [warn(file, match.line, `the threshold ${name} went from ${value} to ${match.value}`)]
      : [];
  });
}

function switchIn(text: string): { name: string; value: boolean } | null {
  const { name, value } = (STRICT.exec(text) ?? STRICT_PY.exec(text))?.groups ?? {};
  return name === undefined ? null : { name, value: value?.toLowerCase() === "true" };
}

function switches(file: ChangedTextFile, { removed, added }: Block): Caution[] {
  const was = new Map(
    removed.flatMap(({ text }) => switchIn(text) ?? []).map((each) => [each.name, each.value]),
  );
  const now = new Set(added.flatMap(({ text }) => switchIn(text)?.name ?? []));
  return [
    ...added.flatMap(({ text, line }) => {
      if (LAX.test(text) && !removed.some((old) => gist(old.text) === gist(text))) {
        return [warn(file, line, "a check of the compiler or linter was turned off")];
      }
      const found = switchIn(text);
      if (!found || /noEmit/i.test(found.name) || found.value || was.get(found.name) === false)
        return [];
      return [warn(file, line, `${found.name} was turned off`)];
    }),
    ...removed.flatMap(({ text, line }) => {
      const found = switchIn(text);
      if (!found?.value || /noEmit/i.test(found.name) || now.has(found.name)) return [];
      return [warn(file, line, `${found.name} was turned off`)];
    }),
  ];
}

const LINT =
  /eslint|biome|stylelint|pylint|rubocop|golangci|clippy|analysis_options|package\.json/i;

function rules(file: ChangedTextFile, { removed, added }: Block): Caution[] {
  if (!LINT.test(file.path)) return [];
  const ruleIn = (text: string) => {
    const { name, value } = RULE.exec(text)?.groups ?? {};
    return name === undefined || value === undefined
      ? null
      : { name, level: LEVELS[value.replace(/["']/g, "")] ?? 2 };
  };
  const was = new Map(
    removed.flatMap(({ text }) => ruleIn(text) ?? []).map((each) => [each.name, each.level]),
  );
  return added.flatMap(({ text, line }) => {
    const rule = ruleIn(text);
    if (!rule || /package\.json$/.test(file.path)) return [];
    const before = was.get(rule.name);
    const weaker = before === undefined ? rule.level === 0 : rule.level < before;
    return weaker
      ? [
          warn(
            file,
            line,
            `the rule ${rule.name} was ${rule.level === 0 ? "turned off" : "made a warning"}`,
          ),
        ]
      : [];
  });
}

/** What stands for a version behind the name of a package. */
const VERSION = /^(?:[\^~<>=v]*\d|\*|latest$|(?:workspace|npm|file|link|git|https?)[:+])/;

const TEST_SCRIPT =
  /(?<=^\s*|[{,]\s*)"(?<name>(?:pre|post)?(?:test|check|lint|types?|type-?check|coverage|ci|verify|validate)(?:[:.-][\w:.-]+)?)"\s*:\s*"(?<command>(?:[^"\\]|\\.)*)"/g;

function scripts(file: ChangedTextFile, { removed, added }: Block): Caution[] {
  const scriptIn = ({ text, line }: PatchLine) =>
    [...text.matchAll(TEST_SCRIPT)].flatMap(({ groups }) => {
      const { name = "", command = "" } = groups ?? {};
      return VERSION.test(command) ? [] : [{ name, command, line }];
    });
  const now = new Map(added.flatMap(scriptIn).map((each) => [each.name, each]));
  return removed.flatMap(scriptIn).flatMap(({ name, command, line }) => {
    const after = now.get(name);
    if (!after) return [warn(file, line, `the script ${name} was removed`)];
    if (isNarrowed(command, after.command)) {
      return [
        warn(file, after.line, `the script ${name} names files now, and leaves out the others`),
      ];
    }
    const lost = programs(command).filter((program) => !programs(after.command).includes(program));
    return lost.length > 0
      ? [warn(file, after.line, `the script ${name} no longer runs ${lost.join(", ")}`)]
      : [];
  });
}

/** Whether a command line is the one before with files or folders behind it. */
export function isNarrowed(before: string, after: string): boolean {
  const start = `${before.trim()} `;
  if (!after.trim().startsWith(start)) return false;
  const [more = ""] = after
    .trim()
    .slice(start.length)
    .split(/&&|[|;#]/, 1);
  const words = more.trim().split(/\s+/);
  return words.some(
    (word, at) =>
      /^[^-].*[/.*]|^[^-.].*\/$/.test(word) && !/^--?\w[^=]*$/.test(words[at - 1] ?? ""),
  );
}

/** The programs that a command line starts. */
function programs(command: string): string[] {
  return command
    .split(/&&|\|\||;|\|/)
    .map((part) =>
      part
        .trim()
        .replace(/^(?:cross-env|dotenv)\s+/, "")
        .replace(/^(?:\w+=\S*\s+)+/, ""),
    )
    .map(
      (part) =>
        /^(?:(?:npx|pnpm exec|yarn|bunx)\s+)?(?:npm run\s+|node\s+(?:--\S+\s+)*)?(\S+)/.exec(
          part,
        )?.[1] ?? "",
    )
    .filter(Boolean);
}
