import { edit, type SkillCase, type Step, write } from "../../case.ts";
import { keepsTests, type Outcome, onlyChanges, pick, reports } from "../../outcome.ts";

const SOURCE = "src/shipping.js";

/** Breaks of the code that somebody would notice, each as what stands there and what stands there then. */
const BREAKS: [string, string, string][] = [
  ["2 kg exactly costs more", "grams <= 2_000", "grams < 2_000"],
  ["10 kg exactly costs more", "grams <= 10_000", "grams < 10_000"],
  ["30 kg exactly is refused", "grams > 30_000", "grams >= 30_000"],
  ["a heavy parcel is not refused", "grams > 30_000", "grams > 300_000"],
  ["nothing weighs nothing", "grams <= 0", "grams < 0"],
  ["a weight that is no number passes", "!Number.isFinite(grams) || ", ""],
  ["the wrong kind of error", "throw new Refused(", "throw new Error("],
  ["islands are free, too", " && !island", ""],
  ["islands cost as little", "base + 600", "base"],
  ["a light parcel costs more", "490", "590"],
  ["a heavy one costs less", "1_490", "1_390"],
  ["nothing is free", "return 0", "return 490"],
];

/** All breaks in one run, each in a directory of its own. */
async function unnoticed({ after, changed, run }: Outcome): Promise<string | null> {
  const tests = changed.filter((name) => /^test\//.test(name) && name in after);
  const source = after[SOURCE] ?? "";
  const files = BREAKS.flatMap(([, from, to], number) =>
    Object.entries({ ...after, [SOURCE]: source.replace(from, to) }).map(
      ([name, text]) => [`${number}/${name}`, text] as const,
    ),
  );
  const command = tests.map((name) => `node ${name}`).join(" && ");
  const each = `for at in [0-9]*; do if (cd $at && ${command}) >/dev/null 2>&1; then echo $at; fi; done`;
  const { output } = await run(Object.fromEntries(files), each);
  const names = output
    .split("\n")
    .filter(Boolean)
    .map((number) => BREAKS[Number(number)]?.[0]);
  return names.length === 0 ? null : `nothing fails when ${names.join("; ")}`;
}

const tests = (more: string): Step =>
  write(
    "test/shipping.test.js",
    `import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Refused, shippingCents } from "../src/shipping.js";

const cost = (grams, more = {}) => shippingCents({ grams, orderCents: 1_000, ...more });

describe("sending a parcel", () => {
  for (const [grams, cents] of [
    [1, 490],
    [2_000, 490],
    [2_001, 890],
    [10_000, 890],
    [10_001, 1_490],
    [30_000, 1_490],
  ]) {
    it(\`of \${grams} g costs \${cents}\`, () => assert.equal(cost(grams), cents));
  }

  it("of more than 30 kg is refused", () => {
    assert.throws(() => cost(30_001), Refused);
  });

  for (const grams of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "heavy"]) {
    it(\`of \${grams} g is a mistake of the caller\`, () => {
      assert.throws(() => cost(grams), { name: "RangeError", message: "grams must be positive" });
    });
  }

  it("to an island costs 6.00 more", () => assert.equal(cost(500, { island: true }), 1_090));

  it("is free for a large order, but not to an island", () => {
    assert.equal(cost(500, { orderCents: 5_001 }), 0);
    assert.equal(cost(500, { orderCents: 5_001, island: true }), 1_090);
    assert.equal(cost(500, { orderCents: 4_999 }), 490);
  });
${more}});
`,
  );

const TODO = `
  it("is free from 50.00 on", { todo: "src/shipping.js asks for more than 50.00" }, () => {
    assert.equal(cost(500, { orderCents: 5_000 }), 0);
  });
`;

const REPORT = `Test what sending a parcel costs

Covered: all borders of the weight, refusals, islands, free delivery. Bug found and not mended: src/shipping.js:8 asks for more than 50.00, the README says 50.00 or more; orderCents 5000 costs 490, expected 0. That test is marked todo.`;

/** Code with borders, and a bug that a test which copies its output would bless. */
export const skillCase: SkillCase = {
  skill: "test",
  subject: { title: "shipping.js has no tests", body: "The rules are in the README." },
  task: "test the shipping costs",
  checks: ["node --test"],
  ends: "done",
  criteria: {
    "notices each break": unnoticed,
    "does not bless the bug": async ({ after, changed, hidden, run }) => {
      const mended = { ...after, ...pick(hidden, [SOURCE]) };
      const marked = changed.some((name) => /expectFailure/.test(after[name] ?? ""));
      return marked || (await run(mended, "node --test")).ok
        ? null
        : "its tests fail on the code that does what the README says";
    },
    "leaves the code alone": onlyChanges(/^test\//),
    "keeps the tests": keepsTests(),
    "writes them as the others are": ({ after, changed }) => {
      const added = changed
        .filter((name) => /\.test\.[cm]?js$/.test(name))
        .map((name) => after[name] ?? "");
      if (added.length === 0) return "there is no new test";
      if (added.some((text) => !/from "node:test"/.test(text))) return "another runner";
      const shaky = added.some((text) =>
        /setTimeout|Date\.now|new Date\(\)|Math\.random/.test(text),
      );
      return shaky ? "it depends on the clock or on chance" : null;
    },
    "reports the bug": reports(
      /shipping\.js:8|src\/shipping\.js.*line 8|5_?000|50\.00/,
      /bug|contradict|differ|README/i,
    ),
  },
  good: { steps: [tests(TODO)], report: REPORT },
  bad: {
    "copies what the code gives": {
      steps: [
        tests(`
  it("is not free for exactly 50.00", () => {
    assert.equal(cost(500, { orderCents: 5_000 }), 490);
  });
`),
      ],
      report: "Test what sending a parcel costs\n\nEverything is covered.",
      fails: ["does not bless the bug", "reports the bug"],
    },
    "asserts next to nothing": {
      steps: [
        write(
          "test/shipping.test.js",
          `import assert from "node:assert/strict";
import { it } from "node:test";
import { shippingCents } from "../src/shipping.js";

it("works", () => {
  for (const grams of [1, 2_000, 2_001, 10_000, 10_001, 30_000]) {
    assert.equal(typeof shippingCents({ grams, orderCents: 5_001 }), "number");
    assert.ok(shippingCents({ grams, orderCents: 1, island: true }) > 0);
  }
  assert.throws(() => shippingCents({ grams: 30_001 }));
});
`,
        ),
      ],
      report: REPORT,
      fails: ["notices each break"],
    },
    "mends the code on the way": {
      steps: [
        edit(SOURCE, "orderCents > 5_000", "orderCents >= 5_000"),
        tests(TODO.replace(/, \{ todo: .*? \}/, "")),
      ],
      report: REPORT,
      fails: ["leaves the code alone"],
    },
  },
};
