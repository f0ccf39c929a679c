import type { Caution } from "../job.ts";
import { titleIn } from "./cases.ts";
import type { ChangedTextFile, PatchLine } from "./changed-files.ts";
import { gist, isCode, isTestFile, withoutComment } from "./test-code.ts";

type Sign = [pattern: RegExp, why: string];

/** Marks that mean the same in any file of code. */
const ANYWHERE: Sign[] = [
  [
    /(?:^|[^\w.$])(?:it|test|describe|suite|context|specify|Deno\.test|step)(?:\.\w+)*\.(?:skip|todo|fixme|failing|fails|skipIf|runIf|ignore)\b/,
    "is skipped",
  ],
  [
    /(?:^|[^\w.$])(?:it|test|describe|suite|context|specify|Deno\.test)(?:\.\w+)*\.only\b/,
    "is the only one that runs now",
  ],
  [/(?:^|[^\w.$])x(?:it|test|describe|context|specify|scenario)\s*[("'`]/, "is skipped"],
  [/(?:^|[^\w.$])f(?:it|describe|context)\s*\(\s*["'`]/, "is the only one that runs now"],
  [/\bpytest\.mark\.(?:skip|skipif|xfail)\b|@mark\.(?:skip|skipif|xfail)\b/, "is skipped"],
  [/\bpytest\.(?:skip|xfail|importorskip)\s*\(/, "is skipped"],
  [/@(?:unittest\.)?(?:skip(?:If|Unless)?|expectedFailure)\b/, "is skipped"],
  [/\bself\.skipTest\s*\(|\braise\s+(?:unittest\.)?SkipTest\b/, "is skipped"],
  [/(?:^|[^\w.])[tb]\.Skip(?:f|Now)?\s*\(|\btesting\.Short\(\)/, "is skipped"],
  [/^\s*#\[(?:ignore\b|cfg_attr\(.*\bignore\b)/, "is ignored"],
  [/^\s*@(?:Disabled\w*|Ignore)\b|@Test\([^)]*\benabled\s*=\s*false/, "is disabled"],
  [/^\s*@Enabled(?:If|On|For|In)\w*\b/, "runs only under a condition"],
  [
    /@Test\([^)]*\bexpected\s*=\s*(?:Throwable|Error|AssertionError|Exception)\.class/,
    "passes when it fails",
  ],
  [/^__test__\s*=\s*False\b/, "is looked for no more"],
  [/^\s*#\[cfg\((?:all\([^\]]*\btest\b|any\(\s*\))/, "runs only under a condition"],
  [/\.filter_run(?:_excluding)?\b/, "runs only under a condition"],
  [
    /^\s*(?:async\s+)?def\s+pytest_(?:collection_modifyitems|ignore_collect|deselected|runtest_(?:makereport|protocol|call)|pyfunc_call|report_teststatus|sessionfinish)\b/,
    "runs, passes or fails as a hook of pytest says",
  ],
  [/->expectNotToPerformAssertions\(|@doesNotPerformAssertions/, "checks nothing on purpose"],
  [
    /\b(?:Assume|Assumptions)\.assume\w+\(|(?:^|\s)assume(?:True|False|That)\s*\(/,
    "runs only under a condition",
  ],
  [/^\s*\[(?:Fact|Theory)\([^)]*\bSkip\s*=/, "is skipped"],
  [/^\s*\[(?:.*,\s*)?Ignore\b/, "is ignored"],
  [/\bAssert\.(?:Ignore|Inconclusive|Pass)\s*\(/, "is skipped"],
  [/->markTest(?:Skipped|Incomplete)\s*\(|->(?:skip|todo)\(/, "is skipped"],
  [/\bthrow\s+XCTSkip\b|\bXCTSkip(?:If|Unless)\s*\(/, "is skipped"],
  [/\bGTEST_SKIP\s*\(|\bTEST(?:_[FP])?\s*\([^)]*\bDISABLED_/, "is skipped"],
  [/^\s*@(?:module)?tag\s+(?::skip|skip:)/, "is skipped"],
  [/^\s*(?:\/\/go:build\s+(?:ignore|never)|\/\/ \+build ignore)/, "is left out of the build"],
];

/** Marks that mean something else outside of tests. */
const IN_TESTS: Sign[] = [
  [/(?:\b(?:this|ctx|context|t|test|it)\.)(?:skip|todo)\s*\(/, "is skipped"],
  [/[{,]\s*(?:skip|todo)\s*:\s*(?:true|["'`])/, "is skipped"],
  [/[{,]\s*ignore\s*:\s*true|,\s*:(?:skip|pending)\b/, "is skipped"],
  [/[{,]\s*only\s*:\s*true/, "is the only one that runs now"],
  [/^\s*(?:skip|pending)(?:\s*$|\s*\(|\s+["'])/, "is skipped"],
  [/^\s*(?:skip|pending)\b.*\bdo\b/, "is skipped"],
  [
    /^\s*(?:def|func|function|async def)\s+(?:_+test|xtest|disabled_?test|skip_?test)\w*/i,
    "is renamed so that no runner finds it",
  ],
  [/\bskip\s*:\s*(?:true|["'])/, "is skipped"],
  [/[{,]\s*(?:skip|todo)\s*:\s*(?:!|process\.|os\.|is[A-Z]|\w*CI\b)/, "is skipped"],
  [
    /^\s*(?:\}\s*else\s+)?(?:await\s+|return\s+|self\.)?(?:if|unless|expect|assert\w*)\b(?:[^"'`]|"[^"]*"|'[^']*'|`[^`]*`)*(?:&&\s*false|\|\|\s*true|\band\s+False|\bor\s+True)\b/,
    "has a condition that decides nothing",
  ],
  [
    /^\s*(?:process\.exit\(\s*0?\s*\)|os\.(?:Exit|_exit)\(0\)|sys\.exit\(0?\)|System\.exit\(0\))|\bprocess\.exitCode\s*=\s*0\b/,
    "ends the run as if all had passed",
  ],
];

/** Build tags of Go: ordinary in a new file, and the way to take an old one out of the run. */
const TAGGED: Sign = [
  /^\s*(?:\/\/go:build\s|\/\/ \+build\s)/,
  "is left out of the build unless a tag is given",
];

/** What opens a comment or a condition that is never true. */
const SWALLOWS: Sign[] = [
  [/^\s*\/\*(?!.*\*\/)/, "is inside a comment now"],
  [/^\s*(?:"""|''')\s*$/, "is inside a string now"],
  [/^\s*=begin\b/, "is inside a comment now"],
  [/^\s*#if\s+0\b/, "is left out of the build"],
  [/^\s*if\s*\(?\s*(?:false|0|False|!1)\s*\)?\s*[:{]?\s*$/, "never runs"],
];

/** Tests that a change skips, focuses, ends early or takes out of the program. */
export function skippedTests(files: ChangedTextFile[]): Caution[] {
  const before = new Map<string, number>();
  for (const file of files) {
    for (const { text } of file.removed) before.set(gist(text), (before.get(gist(text)) ?? 0) + 1);
  }
  /** Whether the same line went elsewhere: then it was moved. */
  const moved = (line: PatchLine) => {
    const count = before.get(gist(line.text)) ?? 0;
    before.set(gist(line.text), count - 1);
    return count > 0;
  };
  return files.flatMap((file) => {
    if (!isCode(file.path) || file.status === "deleted") return [];
    const tests = isTestFile(file.path);
    const tagged = tests && file.status === "modified" ? [TAGGED] : [];
    const signs = tests ? [...ANYWHERE, ...IN_TESTS, ...tagged] : ANYWHERE;
    const skipped = new Set(
      file.removed
        .filter(({ text }) => markIn(text, signs))
        .flatMap(({ text }) => titleIn(text) ?? []),
    );
    const cautions = file.added.flatMap((line) => {
      const why = markIn(line.text, signs);
      if (why === null || moved(line)) return [];
      const name = titleIn(line.text);
      if (name !== null && skipped.has(name)) return [];
      return [warn(file, line, `${name ? `the test “${name.slice(0, 80)}”` : "a test"} ${why}`)];
    });
    if (!tests) return cautions;
    return [...cautions, ...file.hunks.flatMap((hunk) => cutOff(file, hunk))];
  });
}

function warn(file: ChangedTextFile, { line }: PatchLine, why: string): Caution {
  return { kind: "weakened_test", path: file.path, line, why };
}

function markIn(text: string, signs: Sign[]): string | null {
  // Go's build tags are comments.
  const code = /^\s*\/\/ ?(?:go:build|\+build)/.test(text) ? text : withoutComment(text);
  return code === "" ? null : (signs.find(([pattern]) => pattern.test(code))?.[1] ?? null);
}

const RETURN =
  /^(?:return(?:\s+(?:true|null|nil|None|undefined|Ok\(\(\)\)|0))?|exit\(0\)|os\._exit\(0\)|process\.exit\(0\))\s*;?$/;
const MAYBE_RETURN = /^if\b.*\breturn\b[^;{}]*;?\s*\}?$|^return\b.*\bif\b.*$/;

/** Lines that a new return, comment or condition keeps from running. */
function cutOff(file: ChangedTextFile, hunk: PatchLine[]): Caution[] {
  const now = hunk.filter(({ sign, text }) => sign !== "-" && text.trim() !== "");
  return now.flatMap((line, at) => {
    if (line.sign !== "+") return [];
    const below = now[at + 1];
    const swallows = SWALLOWS.find(([pattern]) => pattern.test(line.text));
    if (swallows && below?.sign === " ") return [warn(file, line, `what follows ${swallows[1]}`)];
    const code = withoutComment(line.text);
    if (RETURN.test(code) && below?.sign === " " && goesOn(line, below)) {
      return [warn(file, line, "a test returns before it has checked anything that follows")];
    }
    const above = now[at - 1];
    const opensTest = above?.sign === " " && titleIn(above.text) !== null;
    if (MAYBE_RETURN.test(code) && opensTest) {
      return [warn(file, line, "a test returns early under a condition")];
    }
    return [];
  });
}

/** Whether an unchanged line stands in the same block below a return, where nothing reaches it. */
function goesOn(line: PatchLine, below: PatchLine): boolean {
  const indent = (text: string) => /^\s*/.exec(text.replaceAll("\t", "    "))?.[0].length ?? 0;
  return (
    indent(below.text) >= indent(line.text) &&
    !/^\s*(?:[})\]]|end\b|else\b|case\b|default\b|except\b|finally\b|elif\b)/.test(below.text)
  );
}
