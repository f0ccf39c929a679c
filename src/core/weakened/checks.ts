import type { PatchLine } from "./changed-files.ts";
import { gist, withoutComment } from "./test-code.ts";

/** Where a check of a test begins, in the ways of many languages. */
const CHECK = new RegExp(
  [
    String.raw`(?<![\w.$])expect(?:Type|_\w+)?(?:\.(?:soft|poll))?\(|(?<![\w.$])expect\s*(?:\{|do\b)`,
    String.raw`(?<![\w$])assert\w*(?:\.\w+)*!?\(`,
    String.raw`(?<![\w$])assert(?:_\w+)?\s+(?![=:])\S`,
    String.raw`(?<![\w$])(?:debug_|prop_|static_)assert\w*!?\(|(?:->|::|self\.)assert\w*\(`,
    String.raw`(?<![\w$.])refute\w*[ (]|\.(?:must|wont)_\w+|(?<![\w.])XCT(?:Assert\w*|Fail)\(`,
    String.raw`(?<![\w.])(?:EXPECT|ASSERT|REQUIRE|CHECK|BOOST_(?:TEST|CHECK|REQUIRE))(?:_\w+)?\(`,
    String.raw`(?<![\w.])require\.[A-Z]\w*\(|(?<![\w.])[tb]\.(?:Errorf?|Fatalf?|Fail|FailNow)\(`,
    String.raw`(?<![\w.])t\.(?:is|not|truthy|falsy|true|false|deepEqual|like|throws|throwsAsync|regex|snapshot|equal|ok|same|match|rejects)\(`,
    String.raw`\.should(?:\.|\(|_not\b|_eq\b)|\.Should\(\)|(?<!\w)shouldBe\b`,
    String.raw`(?<![\w.])verify(?:No\w+)?\(|pytest\.(?:raises|warns)\(|->expectException\w*\(`,
    String.raw`#\[should_panic|(?<![\w.])(?:fail|flunk)\(`,
  ].join("|"),
  "g",
);

/** How much a check demands: nothing, that there is something, a part or a bound, one value. */
type Level = 0 | 1 | 2 | 3;

/** A check with what it looks at. */
export interface Check {
  line: PatchLine;
  /** By which it is known again. */
  gist: string;
  subject: string;
  level: Level;
}

/** Longest stretch that is taken for one check. */
const MAX_CHECK = 500;

/** Checks that are looked at in one line. */
const MAX_IN_LINE = 8;

/** Checks in lines of one side of a patch, each up to where the next one begins. */
export function checksOf(lines: PatchLine[]): Check[] {
  const starts: { at: number; line: PatchLine }[] = [];
  let text = "";
  for (const line of lines) {
    const code = withoutComment(line.text);
    if (!/^(?:import|from|use|using|package)\b/.test(code)) {
      for (const { index } of [...code.matchAll(CHECK)].slice(0, MAX_IN_LINE))
        starts.push({ at: text.length + index, line });
    }
    text += `${code}\n`;
  }
  return starts.map(({ at, line }, index) => {
    const check = text.slice(at, Math.min(starts[index + 1]?.at ?? text.length, at + MAX_CHECK));
    // What ends the block it stands in is not its own.
    return {
      line,
      gist: gist(check.replace(/[\s)}\]]+$/, "")),
      subject: subjectOf(check),
      level: levelOf(check),
    };
  });
}

/** The first thing that a check looks at. */
function subjectOf(check: string): string {
  const open = /^[\w.!:$>-]*[\s(]*/.exec(check)?.[0].length ?? 0;
  let depth = 0;
  let at = open;
  for (; at < check.length; at++) {
    const sign = check.charAt(at);
    if ("([{".includes(sign)) depth += 1;
    if (")]}".includes(sign)) depth -= 1;
    if (depth < 0) break;
    if (
      depth === 0 &&
      /^(?:[,\n]|\s*[=!<>]=|\s[<>]\s|\sis\s|\s(?:not )?in\s)/.test(check.slice(at, at + 9))
    )
      break;
  }
  return gist(check.slice(open, at));
}

/** Something exists, or is not one particular thing. */
const WEAK = [
  /\.(?:toBeTruthy|toBeFalsy|toBeDefined|toBeUndefined|exist|ok)\b/,
  /\.not\.to(?:BeNull|BeUndefined|BeNaN|Throw|Equal|Be|StrictEqual)\b/,
  /\.(?:toThrow|toThrowError|toHaveBeenCalled|toMatchSnapshot|toMatchInlineSnapshot)\(\s*\)/,
  /\.toBe(?:GreaterThan|GreaterThanOrEqual)\(\s*(?:0|-1)\s*\)/,
  /assert\.?(?:Is)?Not(?:None|Null|Nil|Empty|Equals?)\w*\(|\bNot(?:Nil|Null|Empty|Zero|Equal)\(/i,
  /\bis not None\b|!==?\s*(?:null|undefined|nil|None|"")|\bis_(?:ok|some)\(\)/,
  /\bNotBe(?:Null|Empty)\w*\(|be_truthy|be_falsey|\bnot_to\b|\bto_not\b|\bNoError\(/,
  // That nothing went wrong, or that anything did.
  /^[tb]\.(?:Fatal|Error)f?\((?:[^()]*,\s*)?err\)|\bNotPanics\(/,
  /(?:pytest\.raises|assertRaises)\(\s*(?:Base)?Exception\s*[,)]|assertThrows\(\s*(?:Throwable|Exception)\.class/,
  /\.to raise_error\s*$/m,
];

/** A part of something, or a bound. */
const PARTIAL = [
  /\.(?:toContain|toContainEqual|toMatch|toMatchObject|toHaveProperty|toBeInstanceOf|toBeCloseTo|toHaveLength)\(/,
  /\.toBe(?:Greater|Less)Than(?:OrEqual)?\(|\.(?:include|contain|match|instanceof|an?)\(/,
  /(?:object|array|string)(?:Containing|Matching)|expect\.any(?:thing)?\(/,
  /assert\.?(?:Not)?(?:In|Regex|Contains|StartsWith|EndsWith|Greater|Less|AlmostEqual|IsInstance|String|Match|Count)\w*\(/i,
  /\b(?:Contains|Regexp|InDelta|InEpsilon|Greater\w*|Less\w*|Len|Subset)\(/,
  /\.(?:contains|starts_with|ends_with|startsWith|endsWith|includes|has)\(|\bhasSize\b|\bis(?:Greater|Less)Than/,
  /(?<![=<>-])[<>]=?\s|\s(?:not )?in\s/,
];

const EXACT =
  /(?<![=!<>])[=!]==?(?!=)|\.to(?:Be|Equal|StrictEqual|Throw|Reject|HaveBeen)|\b(?:eq|eql|equals?|same|is|not|deep|throws|rejects|raises?)\b|Equal|Same|Be\(|_eq\b|_EQ\b|_ne!|Throw|Error|Fatal|panic|verify|snapshot|Exception|fail/i;

function levelOf(check: string): Level {
  if (isTautology(check)) return 0;
  if (WEAK.some((pattern) => pattern.test(check))) return 1;
  if (PARTIAL.some((pattern) => pattern.test(check))) return 2;
  // assert(x), assertTrue(x), ok(x): that there is something.
  return EXACT.test(check) ? 3 : 1;
}

/** One value on both sides, or a constant that is true. */
const TRUISMS = [
  /^expect\(\s*(?<left>[^()]*?)\s*\)\.(?:to(?:Be|Equal|StrictEqual)|to\.(?:be|equal|eql)|to\.deep\.equal)\(\s*\k<left>\s*\)/,
  /^expect\(\s*(?:true|1|!0|!false)\s*\)\.(?:toBeTruthy|toBeDefined|to\.be\.(?:true|ok))/,
  /^[\w.$>-]*(?:equals?|eq|same|is)!?\(\s*(?<left>[^(),]+?)\s*,\s*\k<left>\s*[,)]/i,
  /^[\w.$>-]*(?:assert|true|ok|truthy)!?\(\s*(?:true|True|1|!0|!false)\s*[,)]/i,
  /^assert\s+(?:True|true|1)\s*(?:,|$)/m,
  // A tuple, which Python takes for true.
  /^assert\s+\([^()]*(?:\([^()]*\)[^()]*)*,\s*f?["'][^"'\n]*["']\s*\)\s*$/m,
  /^assert!?\s*\(?\s*(?<left>[\w."']+)\s*===?\s*\k<left>\s*(?:[,)]|$)/m,
];

function isTautology(check: string): boolean {
  return TRUISMS.some((pattern) => pattern.test(check));
}
