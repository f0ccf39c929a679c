import type { Caution } from "../job.ts";
import { count } from "../messages/words.ts";
import { titleIn } from "./cases.ts";
import type { ChangedTextFile, PatchLine } from "./changed-files.ts";
import { checksOf } from "./checks.ts";
import { gist, withoutComment } from "./test-code.ts";

const CATCH = /^\}?\s*catch\b.*\{$|^except\b.*:$|^rescue\b/;
/** What does nothing about a failure. */
const IDLE =
  /^(?:|pass|nil|\.\.\.|;|(?:console|log(?:ger)?|fmt|System\.out)\.\w+\(.*\);?|(?:print|puts|p)\b.*)$/;
const SUPPRESS = /\bsuppress\((?:\w+\.)*(?:AssertionError|Exception|BaseException)\b/;
const WHEN = /^(?:if|unless)\b/;
const LEAVES = /^if\b.*\breturn\b[^;{}]*;?\s*\}?$|^return\b.*\b(?:if|unless)\b.*$/;

const UNAWAITED = "a test no longer waits for what it checks";

/** How far around a line is looked for what belongs to it. */
const NEAR = 60;

/** Checks that stand and no longer decide: a failure is caught, or a condition keeps them from running. */
export function unheededChecks(file: ChangedTextFile): Caution[] {
  if (file.status !== "modified") return [];
  return file.hunks.flatMap((hunk) => {
    const now = hunk.filter(({ sign, text }) => sign !== "-" && text.trim() !== "");
    const went = new Set(hunk.filter(({ sign }) => sign === "-").map(({ text }) => gist(text)));
    const stood = now.map(
      (line) => checksOf([line]).length > 0 && (line.sign === " " || went.has(gist(line.text))),
    );
    return now.flatMap((line, at) => {
      const unawaited =
        /^expect\(.*\.(?:resolves|rejects)\b/.test(line.text.trim()) &&
        went.has(gist(`await ${line.text}`));
      const why = line.sign !== "+" ? null : unawaited ? UNAWAITED : reason(now, at, stood);
      return why === null ? [] : [warn(file, line.line, why)];
    });
  });
}

/** Why a line keeps checks that stood before from counting. */
function reason(now: PatchLine[], at: number, stood: boolean[]): string | null {
  const code = withoutComment(now[at]?.text ?? "");
  const above = now[at - 1];
  const below = now[at + 1];
  if (/^#\[should_panic/.test(code) && below?.sign === " ") {
    return "a test passes only when it panics now";
  }
  const guards = CATCH.test(code) && stood.slice(Math.max(0, at - NEAR), at).includes(true);
  if (SUPPRESS.test(code) || (guards && isIdle(now, at))) return "errors in a test are swallowed";
  if (LEAVES.test(code)) {
    const opens = above?.sign === " " && titleIn(above.text) !== null;
    const rest = now.slice(at, at + NEAR).findIndex(({ text }) => indent(text) < indentAt(now, at));
    const inside = stood.slice(at, rest < 0 ? at + NEAR : at + rest);
    return !opens && inside.includes(true) ? "a test returns early under a condition" : null;
  }
  const drawnIn = WHEN.test(code) && below?.sign === "+" && stood[at + 1] === true;
  return drawnIn ? "a check runs only under a condition now" : null;
}

/** Whether nothing happens in the block that a line opens. */
function isIdle(now: PatchLine[], at: number): boolean {
  for (const { text } of now.slice(at + 1, at + NEAR)) {
    if (indent(text) <= indentAt(now, at)) return true;
    if (!IDLE.test(withoutComment(text))) return false;
  }
  return true;
}

function indentAt(now: PatchLine[], at: number): number {
  return indent(now[at]?.text ?? "");
}

function indent(text: string): number {
  return /^\s*/.exec(text.replaceAll("\t", "    "))?.[0].length ?? 0;
}

/** A row of a table that a test goes through. */
const ROW = /^\s*(?:pytest\.param)?[[({].*[\])}],\s*$/;
const TABLE = /\.each\b|parametri[sz]e|\brange \[\]struct|:= \[\]struct|CsvSource|rstest|#\[case/;

/**
 * Rows that went from a table of cases (by its head, or because nothing else of the file changed) and
 * are not among the lines that `came` anywhere.
 */
export function removedRows(file: ChangedTextFile, came: Set<string>): Caution[] {
  if (file.status !== "modified") return [];
  const gone = file.hunks.flatMap((hunk) => {
    const table = hunk.some(({ sign, text }) => sign !== "+" && TABLE.test(text));
    const rows = (sign: string) => hunk.filter((line) => line.sign === sign && ROW.test(line.text));
    const [went, stays] = [rows("-"), rows("+").length];
    const counts = table || file.added.length === 0;
    return counts && went.length > stays ? went.slice(stays) : [];
  });
  const [first] = gone;
  if (!first || came.has(gist(first.text))) return [];
  return [warn(file, first.line, `${count(gone.length, "row")} of a table of cases went`)];
}

function warn(file: ChangedTextFile, line: number | null, why: string): Caution {
  return { kind: "weakened_test", path: file.path, line, why };
}
