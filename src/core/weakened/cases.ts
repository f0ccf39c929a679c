import type { Caution } from "../job.ts";
import type { ChangedTextFile, PatchLine } from "./changed-files.ts";
import { holdsTests, isCode, isTestFile, withoutComment } from "./test-code.ts";

/** Where a test begins, in the ways of many languages; the group is its name, where it has one. */
const CASES = [
  // it("…"), test.only("…"), it.each(…)("…"), Deno.test("…")
  /(?:^|[^\w.$])(?:[xf]?(?:it|test|specify)|Deno\.test|testWidgets|test_that|scenario|subtest)(?:\.\w+)*(?:\([^()]*\))?(?:`[^`]*`)?\s*\(\s*(["'`])(?<name>.*?)\1/,
  // it "…" do
  /^\s*[xf]?(?:it|test|specify|scenario|example)\s+(["'])(?<name>.*?)\1/,
  /^\s*(?:async\s+)?def\s+(?<name>test\w*)/,
  /^\s*func\s+(?:\([^)]*\)\s*)?(?<name>(?:Test|Fuzz|Benchmark|Example)\w*|test\w+(?=\s*\(\s*\)))\s*\(/,
  /(?:^|[^\w.])[tb]\.Run\(\s*["`](?<name>[^"`]*)/,
  /^\s*(?:TEST|TEST_F|TEST_P|TYPED_TEST|SCENARIO|TEST_CASE|SECTION|BOOST_AUTO_TEST_CASE)\s*\(\s*(?<name>[^)]*)/,
  /^\s*#\[(?:\w+::)*(?:test|rstest|test_case|wasm_bindgen_test|quickcheck|proptest)\b/,
  /^\s*@(?:Test|ParameterizedTest|RepeatedTest|Property|TestFactory)\b/,
  /^\s*\[(?:Fact|Theory|Test|TestCase|TestMethod|DataTestMethod)\b/,
  /^\s*(?:(?:public|private|protected|static|final)\s+)*function\s+(?<name>test\w*)/,
  /^\s*(?:Scenario|Scenario Outline|Example):\s*(?<name>.*)/,
  /^\s*@test\s+["'](?<name>[^"']*)/,
  /^\s*\((?:deftest|testing)\s+(?<name>\S+)/,
];

/** The name of the test case that begins in a line; null when none does. */
function caseIn(line: string): string | null {
  const code = withoutComment(line);
  if (code === "") return null;
  for (const pattern of CASES) {
    const match = pattern.exec(code);
    if (match) return match.groups?.name?.trim() ?? "";
  }
  return null;
}

const GROUP =
  /(?:^|[^\w.$])[xf]?(?:describe|context|suite)(?:\.\w+)*(?:\([^()]*\))?(?:\s*\(\s*|\s+)(["'`])(?<name>.*?)\1/;

/** The name of the test case or group of them that begins in a line; null when none does. */
export function titleIn(line: string): string | null {
  return caseIn(line) ?? GROUP.exec(withoutComment(line))?.groups?.name ?? null;
}

interface Case extends PatchLine {
  name: string;
}

function casesOf(lines: PatchLine[]): Case[] {
  return lines.flatMap((line) => {
    const name = caseIn(line.text);
    return name === null ? [] : [{ ...line, name }];
  });
}

/** Test files and test cases that went and came back nowhere. */
export function removedCases(files: ChangedTextFile[]): Caution[] {
  const pairs = files.filter(({ oldPath, path }) => isCode(oldPath) || isCode(path)).map(paired);
  const inTests = new Names();
  const elsewhere = new Names();
  for (const { file, came } of pairs) (holdsTests(file.path) ? inTests : elsewhere).add(came);
  return pairs.flatMap(({ file, went }) => {
    // What leaves a test file for where no runner looks is gone.
    const gone = went.filter(
      ({ name }) => !inTests.take(name) && (isTestFile(file.oldPath) || !elsewhere.take(name)),
    );
    const caution = describe(file, gone, files);
    return caution ? [caution] : [];
  });
}

/** Names of cases that came where none went: what was moved stands here. */
class Names {
  readonly #left = new Map<string, number>();

  add(names: string[]): void {
    for (const name of names) this.#left.set(name, (this.#left.get(name) ?? 0) + 1);
  }

  take(name: string): boolean {
    const count = this.#left.get(name) ?? 0;
    this.#left.set(name, count - 1);
    return count > 0;
  }
}

interface Pairs {
  file: ChangedTextFile;
  went: Case[];
  came: string[];
}

/** Cases that went and names that came, without those that were kept, renamed or rewritten where they stood. */
function paired(file: ChangedTextFile): Pairs {
  const went: Case[] = [];
  const came: string[] = [];
  for (const block of file.blocks) {
    const names = casesOf(block.added).map(({ name }) => name);
    const gone = casesOf(block.removed).filter(({ name }) => {
      const at = names.indexOf(name);
      if (at >= 0) names.splice(at, 1);
      return at < 0;
    });
    // One by one: as arguments of a call there can be too many.
    for (const each of gone.slice(names.length)) went.push(each);
    for (const name of names.slice(gone.length)) came.push(name);
  }
  return { file, went, came };
}

function describe(file: ChangedTextFile, gone: Case[], files: ChangedTextFile[]): Caution | null {
  const { path, oldPath, status } = file;
  const all = casesOf(file.removed).length;
  const warn = (line: number | null, why: string): Caution => ({
    kind: "weakened_test",
    path,
    line,
    why,
  });
  if (status === "deleted" && isTestFile(path)) {
    if (gone.length === 0 && all > 0) return null;
    if (all === 0 && hasTwin(file, files)) return null;
    const with_ = files.find((each) => each.status === "deleted" && isTestedBy(each.path, path));
    const together = with_ ? ", together with the code it is named after" : "";
    if (gone.length === all) return warn(null, `the test file was deleted${cases(all)}${together}`);
    return warn(null, `the test file was deleted, and ${named(gone)} came back nowhere`);
  }
  if (path !== oldPath && isTestFile(oldPath) && !isTestFile(path)) {
    return warn(null, "the test file was moved to a name under which no tests are looked for");
  }
  if (gone.length === 0) return null;
  const commented = gone.filter(({ text }) => isCommentedOut(text, file));
  const how = commented.length === gone.length ? "commented out" : "removed";
  return warn(gone[0]?.line ?? null, `${named(gone)} ${gone.length === 1 ? "was" : "were"} ${how}`);
}

function cases(count: number): string {
  if (count === 0) return "";
  return `, with ${count === 1 ? "its test case" : `its ${count} test cases`}`;
}

const MAX_NAMED = 3;

function named(gone: Case[]): string {
  const names = gone.map(({ name }) => name).filter((name) => name !== "");
  const shown = names.slice(0, MAX_NAMED).map((name) => `“${name.slice(0, 80)}”`);
  const rest = gone.length - shown.length;
  const many = gone.length === 1 ? "the test case" : `${gone.length} test cases`;
  if (shown.length === 0) return many;
  return `${many} ${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function isCommentedOut(text: string, file: ChangedTextFile): boolean {
  const code = text.trim();
  return file.added.some((line) => line.text.includes(code) && withoutComment(line.text) === "");
}

/** Whether most of a deleted file came back in another one. */
function hasTwin(file: ChangedTextFile, files: ChangedTextFile[]): boolean {
  const lines = new Set(
    file.removed.map(({ text }) => text.trim()).filter((text) => text.length > 3),
  );
  return files.some((other) => {
    if (other === file || !isTestFile(other.path)) return false;
    const came = new Set(other.added.map(({ text }) => text.trim()));
    let same = 0;
    for (const line of lines) if (came.has(line)) same += 1;
    return lines.size > 0 && same >= 0.6 * lines.size;
  });
}

/** Whether a source file is what a test file is named after. */
function isTestedBy(source: string, test: string): boolean {
  const stem = (path: string) => (path.split("/").at(-1) ?? "").replace(/\..*$/, "").toLowerCase();
  const bare = stem(test).replace(/^test[_-]?|[_-]?(?:tests?|specs?)$/g, "");
  return source !== test && !isTestFile(source) && isCode(source) && stem(source) === bare;
}
