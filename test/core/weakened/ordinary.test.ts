import { describe, expect, it } from "vitest";
import { weakenedTests } from "../../../src/core/weakened.ts";
import { type Files, realDiff } from "../../support/real-diff.ts";
import {
  body,
  check,
  jsTest,
  one,
  PACKAGE,
  py,
  swap,
  THREE,
  TS,
  TSCONFIG,
  VITEST,
} from "../../support/weakened-samples.ts";

const FINE: [string, Files, Files][] = [
  ["a test is added", ...one(TS, jsTest("adds"), THREE)],
  ["a test file is added", { [TS]: null, a: "1" }, { [TS]: THREE }],
  ["a test is renamed", ...swap(TS, THREE, '"rounds"', '"rounds to cents"')],
  ["a test file is moved", { [TS]: THREE }, { [TS]: null, "test/shop/price.test.ts": THREE }],
  [
    "a test file is moved and changed",
    { [TS]: THREE },
    { [TS]: null, "test/shop/price.test.ts": THREE.replace("../src", "../../src") },
  ],
  [
    "a test is moved to another file",
    { [TS]: THREE, "test/tax.test.ts": jsTest("vat") },
    {
      [TS]: jsTest("adds", "rounds"),
      "test/tax.test.ts": `${jsTest("vat")}${THREE.slice(THREE.indexOf('it("taxes"'))}`,
    },
  ],
  [
    "tests change places",
    ...one(
      TS,
      THREE,
      `${THREE.slice(0, THREE.indexOf("it("))}${THREE.slice(THREE.indexOf('it("rounds"'))}${THREE.slice(THREE.indexOf("it("), THREE.indexOf('it("rounds"'))}`,
    ),
  ],
  [
    "tests are indented into a describe",
    ...one(
      TS,
      THREE,
      THREE.replace('it("adds"', 'describe("price", () => {\nit("adds"')
        .replace(/^(it| {2}|\}\))/gm, "  $1")
        .concat("});\n"),
    ),
  ],
  [
    "quotes and semicolons change",
    ...one(TS, THREE, THREE.replaceAll('"', "'").replaceAll(";", "")),
  ],
  ["functions become arrows", ...one(TS, THREE.replaceAll("() => {", "function () {"), THREE)],
  [
    "a check is broken over lines",
    ...check("expect(total).toBe(6);", "expect(\n    total,\n  ).toBe(6);"),
  ],
  [
    "a check is moved in its test",
    ...one(TS, body("expect(a).toBe(1);\n  run();"), body("run();\n  expect(a).toBe(1);")),
  ],
  ["an expected value changes", ...check("expect(total).toBe(6);", "expect(total).toBe(7);")],
  ["a check becomes stricter", ...check("expect(total).toBeTruthy();", "expect(total).toBe(6);")],
  [
    "a part becomes the whole",
    ...check("expect(total).toContain(6);", "expect(total).toEqual([6, 7]);"),
  ],
  ["a bare assert becomes a comparison", ...py("assert total", "assert total == 5")],
  [
    "toBe becomes toStrictEqual",
    ...check("expect(total).toBe(6);", "expect(total).toStrictEqual(6);"),
  ],
  ["checks of another kind, as strict", ...py("self.assertEqual(total, 5)", "assert total == 5")],
  ["a variable is renamed", ...one(TS, THREE, THREE.replaceAll("total", "sum"))],
  [
    "a test is written anew",
    ...swap(
      TS,
      THREE,
      "  const total = price([1, 2, 3]);\n  expect(total).toBe(6);",
      "  const cart = [1, 2, 3];\n  const { sum, tax } = bill(cart);\n  expect(sum).toBe(6);\n  expect(tax).toBe(1);",
    ),
  ],
  [
    "a skipped test is run again",
    ...swap(TS, THREE.replace('it("rounds"', 'it.skip("rounds"'), "it.skip", "it"),
  ],
  [
    "a skipped test is moved",
    { [TS]: THREE.replace('it("taxes"', 'it.skip("taxes"'), b: "1" },
    { [TS]: null, "test/b.test.ts": THREE.replace('it("taxes"', 'it.skip("taxes"') },
  ],
  [
    "xit becomes it.skip",
    ...swap(TS, THREE.replace('it("rounds"', 'xit("rounds"'), "xit(", "it.skip("),
  ],
  [
    "a helper with an early return is added",
    ...swap(
      TS,
      THREE,
      'it("adds"',
      'function wait(n: number) {\n  if (n === 0) return;\n  wait(n - 1);\n}\n\nit("adds"',
    ),
  ],
  [
    "source code returns early",
    ...swap(
      "src/price.ts",
      "export function price(n: number) {\n  const x = n;\n  return x;\n}\n",
      "  const x",
      "  if (n < 0) return 0;\n  const x",
    ),
  ],
  [
    "source code has asserts removed",
    ...swap("src/price.ts", "assert(n > 0);\nrun(n);\n", "assert(n > 0);\n", ""),
  ],
  [
    "a function named skip",
    ...swap(
      "src/list.ts",
      "export const a = 1;\n",
      "export const a = 1;\n",
      "export const a = 1;\nexport function skip(n: number) {\n  return list.skip(n);\n}\n",
    ),
  ],
  [
    "prose about skipping",
    ...one(
      "docs/tests.md",
      "# Tests\n",
      "# Tests\n\nUse it.skip to skip a test, `|| true` is bad, coverage 90.\n",
    ),
  ],
  [
    "a dependency is added",
    ...swap(
      "package.json",
      PACKAGE,
      '"scripts"',
      '"dependencies": { "zod": "4.0.0" },\n  "scripts"',
    ),
  ],
  [
    "a script is extended",
    ...swap("package.json", PACKAGE, '"vitest run"', '"npm run lint && vitest run --coverage"'),
  ],
  ["a threshold is raised", ...swap("vitest.config.ts", VITEST, "lines: 90", "lines: 95")],
  [
    "a runner's setting is added",
    ...swap("vitest.config.ts", VITEST, "  test: {", "  test: {\n    testTimeout: 10_000,"),
  ],
  [
    "one entry of the exclusions goes",
    ...swap("vitest.config.ts", VITEST, '["node_modules/**"]', "[]"),
  ],
  [
    "a strict flag is added",
    ...swap(
      "tsconfig.json",
      TSCONFIG,
      '"strict": true',
      '"strict": true,\n    "noImplicitOverride": true',
    ),
  ],
  ["a target is changed", ...swap("tsconfig.json", TSCONFIG, "es2024", "es2022")],
  [
    "a shell script tolerates a missing file",
    ...swap("scripts/clean.sh", "set -e\nrun\n", "run", "rm -r dist || true\nrun"),
  ],
  [
    "one snapshot is renewed",
    ...swap("test/__snapshots__/a.snap", "exports[`a 1`] = `old`;\n", "old", "new"),
  ],
  [
    "snapshots are added",
    { "test/__snapshots__/a.snap": null, b: "1" },
    { "test/__snapshots__/a.snap": "exports[`a`] = `x`;\n".repeat(100) },
  ],
  ["a fixture is deleted", ...one("test/fixtures/cart.json", '{"a": 1}\n', null)],
  ["source code is deleted", ...one("src/old.ts", "export const old = 1;\nexpect(old);\n", null)],
  [
    "comments change",
    ...swap(TS, THREE, 'it("rounds"', '// expect(total).toBe(1) would be wrong here\nit("rounds"'),
  ],
  ["line ends change", ...one(TS, THREE, THREE.replaceAll("\n", "\r\n"))],
  [
    "a test moves into a loop with its check",
    ...swap(TS, THREE, 'it("rounds", () => {', 'it.each([1, 2])("rounds", () => {'),
  ],
];

describe("ordinary work is not", () => {
  it.each(FINE)("%s", (_name, before, after) => {
    expect(weakenedTests(realDiff(before, after))).toEqual([]);
  });

  it("nor a file that git tells as renamed", () => {
    const moved = realDiff({ [TS]: THREE }, { [TS]: null, "test/b.test.ts": THREE }, ["-M"]);
    expect(moved).toContain("rename from");
    expect(weakenedTests(moved)).toEqual([]);
  });
});
