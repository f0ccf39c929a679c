import type { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { codeSpan } from "./markdown.ts";
import { nameText } from "./messages/words.ts";
import type { ConfigProblem } from "./repo-config.ts";
import type { YamlValue } from "./yaml.ts";

type Issue = z.core.$ZodIssue;

const MAX_PROBLEMS = 20;

/** What a schema found wrong with a YAML file, line by line, in words for the person who mends it. */
export function issueProblems(
  issues: Issue[],
  file: YamlValue,
  keysOf: (path: PropertyKey[]) => string[],
): ConfigProblem[] {
  const problems = issues
    .filter(isOwn)
    .filter(isFirst)
    .flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => ({
            line: file.lineOf([...issue.path, key]),
            message: unknownKey(key, issue.path, keysOf(issue.path)),
          }))
        : [
            {
              line: file.lineOf(issue.path),
              message: `${place(issue.path)} ${wrong(issue, file.value)}`,
            },
          ],
    );
  problems.sort((a, b) => a.line - b.line);
  const more = problems.length - MAX_PROBLEMS;
  const last = {
    line: problems[MAX_PROBLEMS]?.line ?? 1,
    message: `and ${more} more problems from here on`,
  };
  return more > 0 ? [...problems.slice(0, MAX_PROBLEMS), last] : problems;
}

/** Whether a limit is one of the schema's, not of whole numbers as such: those lie within. */
function isOwn(issue: Issue): boolean {
  if (issue.code === "too_big") return issue.maximum !== Number.MAX_SAFE_INTEGER;
  return issue.code !== "too_small" || issue.minimum !== Number.MIN_SAFE_INTEGER;
}

/**
 * Whether nothing is wrong with the value's form already: a schema measures and checks what has the wrong kind or
 * size as well, which says the same again, or nonsense of a text where a list is wanted.
 */
function isFirst(issue: Issue, at: number, all: Issue[]): boolean {
  const place = JSON.stringify(issue.path.map(String));
  const before = all
    .slice(0, at)
    .find(({ code, path }) => isForm(code) && JSON.stringify(path.map(String)) === place);
  return before === undefined;
}

function isForm(code: Issue["code"]): boolean {
  return code !== "custom" && code !== "unrecognized_keys";
}

function unknownKey(key: string, path: PropertyKey[], known: string[]): string {
  const meant = didYouMean(key, known);
  const where = path.length > 0 ? ` in ${place(path)}` : "";
  const hint = meant
    ? `did you mean ${codeSpan(meant)}?`
    : `known here: ${known.map(codeSpan).join(", ")}`;
  return `unknown key ${codeSpan(nameText(key))}${where}; ${hint}`;
}

/** "`limits.steps`", "entry 2 of `checks`", "`use.model` in entry 1 of `routes`". */
function place(path: PropertyKey[]): string {
  const at = path.findLastIndex((key) => typeof key === "number");
  const inside = codeSpan(
    path
      .slice(at + 1)
      .map(String)
      .join("."),
  );
  if (at < 0) return inside;
  const entry = `entry ${Number(path[at]) + 1} of ${place(path.slice(0, at))}`;
  return at === path.length - 1 ? entry : `${inside} in ${entry}`;
}

function wrong(issue: Issue, root: unknown): string {
  const value = issue.path.reduce<unknown>(
    (inside, key) =>
      typeof inside === "object" && inside !== null ? Reflect.get(inside, key) : undefined,
    root,
  );
  switch (issue.code) {
    case "invalid_type":
      if (value === undefined) return "is missing; fill it in";
      return `must be ${KIND[issue.expected] ?? issue.expected}, not ${instead(issue.expected, value)}${remedy(issue.expected, value)}`;
    case "too_big":
      return `must ${bound("at most", issue.origin, Number(issue.maximum))}${mend(issue, value)}`;
    case "too_small":
      return `must ${bound(issue.inclusive ? "at least" : "more than", issue.origin, Number(issue.minimum))}${mend(issue, value)}`;
    case "invalid_key":
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

const KIND: Record<string, string> = {
  array: "a list",
  object: "a group of keys",
  record: "a group of keys",
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return KIND[typeof value] ?? typeof value;
}

/** What stands there: of a number where another one is wanted, the number. */
function instead(expected: string, value: unknown): string {
  const number = typeof value === "number" && (expected === "int" || expected === "number");
  return number ? String(value) : kindOf(value);
}

function remedy(expected: string, value: unknown): string {
  if (expected === "array") return "; write each entry on a line of its own behind `- `";
  if (expected === "string" && value === null) return "; fill it in or remove it";
  if (expected === "string" && !Array.isArray(value)) return "; put it in quotes";
  if (expected === "boolean") return "; write `true` or `false`, without quotes";
  if (expected === "int" || expected === "number")
    return typeof value === "string"
      ? "; write it without quotes and units"
      : typeof value === "number" && !Number.isFinite(value)
        ? "; write an ordinary number, such as 2.5"
        : "";
  return "";
}

/** What to do about a bound that something is beyond. */
function mend({ code, origin }: { code: string; origin: string }, value: unknown): string {
  const large = code === "too_big";
  if (origin === "string") return large ? "; shorten it" : "; fill it in or remove it";
  if (origin === "array") return large ? "; remove some" : "; add one or remove the key";
  return `, not ${String(value)}; ${large ? "lower" : "raise"} it`;
}

function bound(how: string, origin: string, limit: number): string {
  const number = limit.toLocaleString("en");
  if (origin === "string") return limit === 1 ? "not be empty" : `have ${how} ${number} characters`;
  if (origin === "array") return `have ${how} ${number} ${limit === 1 ? "entry" : "entries"}`;
  return `be ${how} ${number}`;
}
