import { describe, expect, it } from "vitest";
import { weakenedTests } from "../../src/core/weakened.ts";
import { type Files, realDiff } from "../support/real-diff.ts";

/** A test file with cases of one check each. */
const jsTest = (...names: string[]) =>
  [
    'import { expect, it } from "vitest";',
    'import { price } from "../src/price.ts";',
    "",
    ...names.flatMap((name, at) => [
      `it("${name}", () => {`,
      `  const total = price([${at}, 2, 3]);`,
      `  expect(total).toBe(${at + 5});`,
      "});",
      "",
    ]),
  ].join("\n");

const pyTest = (...names: string[]) =>
  [
    "import pytest",
    "from shop import price",
    "",
    ...names.flatMap((name, at) => [
      `def test_${name}():`,
      `    total = price([${at}, 2, 3])`,
      `    assert total == ${at + 5}`,
      "",
    ]),
  ].join("\n");

const THREE = jsTest("adds", "rounds", "taxes");
const TS = "test/price.test.ts";
const PY = "tests/test_price.py";

/** [what happens, before, after, what the one caution says (and on which line)] */
type Row = [string, Files, Files, RegExp, number?];

const one = (path: string, before: string, after: string | null): [Files, Files] => [
  { [path]: before },
  { [path]: after },
];

const swap = (path: string, content: string, from: string, to: string): [Files, Files] => {
  if (!content.includes(from)) throw new Error(`no ${from}`);
  return one(path, content, content.replace(from, to));
};

const body = (check: string) =>
  `import { expect, it } from "vitest";\n\nit("adds", () => {\n  ${check}\n});\n`;
const check = (from: string, to: string): [Files, Files] => one(TS, body(from), body(to));
const py = (from: string, to: string): [Files, Files] =>
  one(PY, `def test_a(self):\n    ${from}\n`, `def test_a(self):\n    ${to}\n`);

const PACKAGE = `{
  "name": "shop",
  "scripts": {
    "build": "tsc",
    "lint": "eslint .",
    "test": "vitest run"
  }
}
`;

const VITEST = `import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["node_modules/**"],
    coverage: {
      thresholds: { lines: 90, branches: 85 },
    },
  },
});
`;

const TSCONFIG = `{
  "compilerOptions": {
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "target": "es2024"
  }
}
`;

const WEAKENED: Row[] = [
  [
    "a test file is deleted",
    ...one(TS, THREE, null),
    /^the test file was deleted, with its 3 test cases$/,
  ],
  [
    "a test file of one case is deleted",
    ...one(PY, pyTest("adds"), null),
    /deleted, with its test case$/,
  ],
  [
    "a test file is deleted with its code",
    { [TS]: THREE, "src/price.ts": "export const price = 1;\n" },
    { [TS]: null, "src/price.ts": null },
    /together with the code it is named after/,
  ],
  [
    "a helper of tests is deleted",
    ...one("test/support/server.ts", "export const server = 1;\nserver();\n", null),
    /deleted$/,
  ],
  [
    "a test file becomes no test",
    { [TS]: THREE },
    { [TS]: null, "test-old/price.txt": THREE },
    /deleted/,
  ],
  [
    "a test file is moved where no runner looks",
    { [TS]: THREE },
    { [TS]: null, "old/price.ts": THREE },
    /deleted, with its 3 test cases/,
  ],
  [
    "a test case is moved where no runner looks",
    { [TS]: THREE, "src/price.ts": "export const a = 1;\n" },
    {
      [TS]: jsTest("adds", "rounds"),
      "src/price.ts": `export const a = 1;\n${THREE.slice(THREE.indexOf('it("taxes"'))}`,
    },
    /“taxes” was removed/,
  ],
  [
    "a test case is deleted",
    ...one(TS, THREE, THREE.replace(/it\("rounds"[\s\S]*?\}\);\n\n/, "")),
    /the test case “rounds” was removed/,
    9,
  ],
  [
    "two test cases are deleted",
    ...one(TS, THREE, jsTest("adds")),
    /2 test cases “rounds”, “taxes” were removed/,
  ],
  [
    "a Python test is deleted",
    ...one(PY, pyTest("adds", "rounds"), pyTest("adds")),
    /“test_rounds” was removed/,
  ],
  [
    "a Go test is deleted",
    ...one(
      "price_test.go",
      "package p\n\nfunc TestAdds(t *testing.T) {\n\tt.Log(1)\n}\n\nfunc TestRounds(t *testing.T) {\n\tt.Log(2)\n}\n",
      "package p\n\nfunc TestAdds(t *testing.T) {\n\tt.Log(1)\n}\n",
    ),
    /“TestRounds” was removed/,
  ],
  [
    "a Rust test inside the source is deleted",
    ...one("src/lib.rs", "fn a() {}\n\n#[test]\nfn adds() {\n    helper();\n}\n", "fn a() {}\n"),
    /the test case was removed/,
  ],
  [
    "a Java test loses its annotation",
    ...swap(
      "src/test/java/PriceTest.java",
      "class PriceTest {\n  @Test\n  void adds() { run(); }\n}\n",
      "  @Test\n",
      "",
    ),
    /the test case was removed/,
  ],
  [
    "a test case is commented out",
    ...one(
      TS,
      THREE,
      THREE.replace(/it\("rounds"[\s\S]*?\}\);/, (test) => test.replace(/^/gm, "// ")),
    ),
    /“rounds” was commented out/,
  ],
  [
    "a Python test is renamed away",
    ...swap(PY, pyTest("adds", "rounds"), "def test_rounds", "def _test_rounds"),
    /removed|no runner finds it/,
  ],
  [
    "it.skip",
    ...swap(TS, THREE, 'it("rounds"', 'it.skip("rounds"'),
    /the test “rounds” is skipped/,
    9,
  ],
  [
    "it.only",
    ...swap(TS, THREE, 'it("rounds"', 'it.only("rounds"'),
    /the test “rounds” is the only one/,
  ],
  ["xit", ...swap(TS, THREE, 'it("rounds"', 'xit("rounds"'), /the test “rounds” is skipped/],
  ["fit", ...swap(TS, THREE, 'it("rounds"', 'fit("rounds"'), /the only one/],
  [
    "it.todo instead of a body",
    ...one(TS, THREE, THREE.replace(/it\("rounds"[\s\S]*?\}\);/, 'it.todo("rounds");')),
    /is skipped/,
  ],
  ["it.fails", ...swap(TS, THREE, 'it("rounds"', 'it.fails("rounds"'), /is skipped/],
  ["it.skipIf", ...swap(TS, THREE, 'it("rounds"', 'it.skipIf(true)("rounds"'), /is skipped/],
  [
    "describe.skip around tests",
    ...one(
      TS,
      THREE,
      THREE.replace('it("adds"', 'describe.skip("all", () => {\nit("adds"').concat("});\n"),
    ),
    /the test “all” is skipped/,
  ],
  [
    "xdescribe in Ruby",
    ...swap(
      "spec/price_spec.rb",
      'describe "price" do\n  it "adds" do\n    run\n  end\nend\n',
      "describe",
      "xdescribe",
    ),
    /skipped/,
  ],
  [
    "pending in Ruby",
    ...swap("spec/price_spec.rb", 'it "adds" do\n  run\nend\n', "  run", "  pending\n  run"),
    /skipped/,
  ],
  [
    "an option skip",
    ...swap(
      "test/price.test.mjs",
      'test("adds", () => {\n  run();\n});\n',
      '"adds", ',
      '"adds", { skip: true }, ',
    ),
    /skipped/,
  ],
  [
    "this.skip()",
    ...swap(TS, THREE, "const total = price([1", "this.skip();\n  const total = price([1"),
    /skipped/,
  ],
  [
    "pytest.mark.skip",
    ...swap(PY, pyTest("adds"), "def test_adds", '@pytest.mark.skip(reason="slow")\ndef test_adds'),
    /skipped/,
    4,
  ],
  [
    "pytest.mark.xfail",
    ...swap(PY, pyTest("adds"), "def test_adds", "@pytest.mark.xfail\ndef test_adds"),
    /skipped/,
  ],
  [
    "pytest.skip()",
    ...swap(PY, pyTest("adds"), "    total", '    pytest.skip("later")\n    total'),
    /skipped/,
  ],
  [
    "unittest.skip",
    ...swap(
      PY,
      "class A:\n    def test_a(self):\n        run()\n",
      "    def",
      '    @unittest.skip("x")\n    def',
    ),
    /skipped/,
  ],
  [
    "t.Skip()",
    ...swap(
      "price_test.go",
      "func TestA(t *testing.T) {\n\trun()\n}\n",
      "\trun()",
      '\tt.Skip("flaky")\n\trun()',
    ),
    /skipped/,
  ],
  [
    "a build tag",
    ...swap(
      "price_test.go",
      "package p\n\nfunc TestA(t *testing.T) {\n\trun()\n}\n",
      "package p",
      "//go:build ignore\n\npackage p",
    ),
    /left out of the build/,
  ],
  [
    "#[ignore]",
    ...swap(
      "src/lib.rs",
      "#[test]\nfn adds() {\n    run();\n}\n",
      "#[test]\n",
      "#[test]\n#[ignore]\n",
    ),
    /ignored/,
  ],
  [
    "@Disabled",
    ...swap(
      "src/test/java/PriceTest.java",
      "class PriceTest {\n  @Test\n  void adds() { run(); }\n}\n",
      "  @Test",
      "  @Disabled\n  @Test",
    ),
    /disabled/,
  ],
  [
    "@Ignore",
    ...swap(
      "src/test/kotlin/PriceTest.kt",
      "class PriceTest {\n  @Test\n  fun adds() { run() }\n}\n",
      "  @Test",
      '  @Ignore("x")\n  @Test',
    ),
    /disabled/,
  ],
  [
    "[Fact(Skip = …)]",
    ...swap(
      "PriceTests.cs",
      "class A {\n  [Fact]\n  void B() { Run(); }\n}\n",
      "[Fact]",
      '[Fact(Skip = "flaky")]',
    ),
    /skipped/,
  ],
  [
    "markTestSkipped",
    ...swap(
      "tests/PriceTest.php",
      "<?php\nfunction testAdds() {\n  run();\n}\n",
      "  run",
      "  $this->markTestSkipped();\n  run",
    ),
    /skipped/,
  ],
  [
    "XCTSkip",
    ...swap(
      "Tests/PriceTests.swift",
      "func testAdds() throws {\n  run()\n}\n",
      "  run",
      '  throw XCTSkip("x")\n  run',
    ),
    /skipped/,
  ],
  [
    "DISABLED_",
    ...swap("test/price_test.cc", "TEST(Price, Adds) {\n  Run();\n}\n", "Adds", "DISABLED_Adds"),
    /skipped/,
  ],
  [
    "an early return",
    ...swap(TS, THREE, "  const total = price([1", "  return;\n  const total = price([1"),
    /returns before/,
    10,
  ],
  [
    "an early return in Python",
    ...swap(PY, pyTest("adds"), "    total", "    return\n    total"),
    /returns before/,
  ],
  [
    "a return under a condition",
    ...swap(
      TS,
      THREE,
      "  const total = price([1",
      "  if (process.env.CI) return;\n  const total = price([1",
    ),
    /returns early under a condition/,
  ],
  [
    "if (false) around a test",
    ...one(TS, THREE, THREE.replace('it("rounds"', 'if (false) {\nit("rounds"').concat("}\n")),
    /never runs/,
  ],
  [
    "a comment around a test",
    ...one(TS, THREE, THREE.replace('it("rounds"', '/*\nit("rounds"').concat("*/\n")),
    /inside a comment now/,
  ],
  [
    "an assertion is deleted",
    ...swap(TS, THREE, "  expect(total).toBe(6);\n", ""),
    /checks less than before: 1 check became 0/,
    11,
  ],
  [
    "an assertion is commented out",
    ...swap(TS, THREE, "  expect(total).toBe(6);", "  // expect(total).toBe(6);"),
    /1 check commented out/,
  ],
  [
    "a Python assertion is deleted",
    ...swap(PY, pyTest("adds"), "    assert total == 5\n", ""),
    /checks less/,
  ],
  [
    "a Go failure becomes a log line",
    ...swap(
      "a_test.go",
      'func TestA(t *testing.T) {\n\tif x() {\n\t\tt.Errorf("no")\n\t}\n}\n',
      "t.Errorf",
      "t.Logf",
    ),
    /checks less/,
  ],
  [
    "three checks become one",
    ...one(
      TS,
      body("expect(a).toBe(1);\n  expect(b).toBe(2);\n  expect(c).toBe(3);"),
      body("expect(a).toBe(1);"),
    ),
    /2 checks became 0/,
  ],
  [
    "toBe becomes toBeTruthy",
    ...check("expect(total).toBe(6);", "expect(total).toBeTruthy();"),
    /only looks whether there is something/,
    4,
  ],
  [
    "toEqual becomes toBeDefined",
    ...check("expect(price([1])).toEqual({ a: 1 });", "expect(price([1])).toBeDefined();"),
    /only looks/,
  ],
  [
    "toEqual becomes toContain",
    ...check("expect(total).toEqual([1, 2]);", "expect(total).toContain(1);"),
    /part or a bound/,
  ],
  [
    "toHaveBeenCalledWith becomes toHaveBeenCalled",
    ...check("expect(send).toHaveBeenCalledWith(1);", "expect(send).toHaveBeenCalled();"),
    /only looks/,
  ],
  [
    "toThrow loses its message",
    ...check('expect(run).toThrow("no price");', "expect(run).toThrow();"),
    /only looks/,
  ],
  [
    "a number becomes a bound",
    ...check("expect(total).toBe(6);", "expect(total).toBeGreaterThan(3);"),
    /bound/,
  ],
  [
    "assertEqual becomes assertIsNotNone",
    ...py("self.assertEqual(total, 5)", "self.assertIsNotNone(total)"),
    /only looks/,
  ],
  ["== becomes is not None", ...py("assert total == 5", "assert total is not None"), /only looks/],
  ["== becomes a bare assert", ...py("assert total == 5", "assert total"), /only looks/],
  [
    "assertEquals becomes assertNotNull",
    ...swap(
      "src/test/java/PriceTest.java",
      "class A {\n  @Test void a() {\n    assertEquals(5, total);\n  }\n}\n",
      "assertEquals(5, total)",
      "assertNotNull(total)",
    ),
    /only looks/,
  ],
  [
    "assert_eq! becomes assert!",
    ...swap(
      "tests/price.rs",
      "#[test]\nfn a() {\n    assert_eq!(total, 5);\n}\n",
      "assert_eq!(total, 5)",
      "assert!(total.is_some())",
    ),
    /only looks/,
  ],
  [
    "require.Equal becomes require.NotNil",
    ...swap(
      "a_test.go",
      "func TestA(t *testing.T) {\n\trequire.Equal(t, 5, total)\n}\n",
      "Equal(t, 5, total)",
      "NotNil(t, total)",
    ),
    /only looks/,
  ],
  [
    "a check becomes a truism",
    ...check("expect(total).toBe(6);", "expect(true).toBe(true);"),
    /always true/,
  ],
  ["a truism in Python", ...py("assert total == 5", "assert True"), /always true/],
  [
    "the same on both sides",
    ...py("self.assertEqual(total, 5)", "self.assertEqual(total, total)"),
    /always true/,
  ],
  [
    "a truism is added",
    ...swap(
      TS,
      THREE,
      "  expect(total).toBe(6);",
      "  expect(total).toBe(6);\n  expect(1).toBe(1);",
    ),
    /added that is always true/,
  ],
  [
    "errors are swallowed",
    ...swap(TS, THREE, "  expect(total).toBe(6);", "  try { expect(total).toBe(6); } catch {}"),
    /swallowed/,
  ],
  [
    "a threshold is lowered",
    ...swap("vitest.config.ts", VITEST, "lines: 90", "lines: 60"),
    /lines went from 90 to 60/,
    8,
  ],
  [
    "a threshold is removed",
    ...swap("vitest.config.ts", VITEST, "      thresholds: { lines: 90, branches: 85 },\n", ""),
    /lines of 90 was removed/,
  ],
  [
    "fail_under is lowered",
    ...swap("pyproject.toml", "[tool.coverage.report]\nfail_under = 95\n", "95", "50"),
    /fail_under went from 95 to 50/,
  ],
  [
    "a flag of coverage is lowered",
    ...swap("tox.ini", "commands = pytest --cov-fail-under=90\n", "90", "10"),
    /cov-fail-under went from 90 to 10/,
  ],
  [
    "a test is excluded",
    ...swap(
      "vitest.config.ts",
      VITEST,
      '["node_modules/**"]',
      '["node_modules/**", "test/price.test.ts"]',
    ),
    /more is left out/,
  ],
  [
    "a test is ignored, one a line",
    ...swap(
      "jest.config.js",
      'module.exports = {\n  testPathIgnorePatterns: [\n    "/node_modules/",\n  ],\n};\n',
      '    "/node_modules/",\n',
      '    "/node_modules/",\n    "price",\n',
    ),
    /more is left out/,
    4,
  ],
  [
    "testPathIgnorePatterns appears",
    ...swap(
      "jest.config.js",
      "module.exports = {\n  a: 1,\n};\n",
      "  a: 1,\n",
      '  a: 1,\n  testPathIgnorePatterns: ["price"],\n',
    ),
    /more is left out/,
  ],
  [
    "fewer tests are included",
    ...swap("vitest.config.ts", VITEST, "test/**/*.test.ts", "test/unit/*.test.ts"),
    /other tests are found/,
  ],
  [
    "passWithNoTests",
    ...swap("vitest.config.ts", VITEST, "  test: {", "  test: {\n    passWithNoTests: true,"),
    /a run without tests passes/,
  ],
  [
    "--passWithNoTests",
    ...swap("package.json", PACKAGE, "vitest run", "vitest run --passWithNoTests"),
    /a run without tests passes/,
  ],
  [
    "|| true",
    ...swap("package.json", PACKAGE, "vitest run", "vitest run || true"),
    /a failing command passes/,
    6,
  ],
  [
    "; exit 0 in a script",
    ...swap("scripts/check.sh", "set -e\nnpm test\n", "npm test", "npm test; exit 0"),
    /a failing command passes/,
  ],
  [
    "continue-on-error",
    ...swap(
      ".github/workflows/ci.yml",
      "steps:\n  - run: npm test\n",
      "npm test\n",
      "npm test\n    continue-on-error: true\n",
    ),
    /a failing step passes/,
  ],
  [
    "allow_failure",
    ...swap(
      ".gitlab-ci.yml",
      "test:\n  script: npm test\n",
      "npm test\n",
      "npm test\n  allow_failure: true\n",
    ),
    /a failing step passes/,
  ],
  [
    "retries",
    ...swap(
      "playwright.config.ts",
      "export default {\n  testDir: 'e2e',\n};\n",
      "  testDir",
      "  retries: 3,\n  testDir",
    ),
    /tried again/,
  ],
  [
    "the test script does nothing",
    ...swap("package.json", PACKAGE, "vitest run", "echo ok"),
    /the script test no longer runs vitest/,
  ],
  [
    "the lint script is removed",
    ...swap("package.json", PACKAGE, '    "lint": "eslint .",\n', ""),
    /the script lint was removed/,
  ],
  [
    "-DskipTests",
    ...swap("Makefile", "check:\n\tmvn verify\n", "mvn verify", "mvn verify -DskipTests"),
    /tests are not run/,
  ],
  [
    "strict is turned off",
    ...swap("tsconfig.json", TSCONFIG, '"strict": true', '"strict": false'),
    /strict was turned off/,
    3,
  ],
  [
    "a strict flag is removed",
    ...swap("tsconfig.json", TSCONFIG, '    "noUncheckedIndexedAccess": true,\n', ""),
    /noUncheckedIndexedAccess was turned off/,
  ],
  [
    "a lint rule is turned off",
    ...swap(
      "eslint.config.js",
      'export default [{ rules: {\n  "no-undef": "error",\n} }];\n',
      '"error"',
      '"off"',
    ),
    /the rule no-undef was turned off/,
  ],
  [
    "a lint rule becomes a warning",
    ...swap(
      "eslint.config.js",
      'export default [{ rules: {\n  "no-undef": "error",\n} }];\n',
      '"error"',
      '"warn"',
    ),
    /made a warning/,
  ],
  [
    "the runner's settings are deleted",
    ...one("vitest.config.ts", VITEST, null),
    /settings of a test runner or linter were deleted/,
  ],
  [
    "eslint-disable in a test",
    ...swap(TS, THREE, "import { price", "/* eslint-disable */\nimport { price"),
    /silenced/,
  ],
  [
    "@ts-ignore in a test",
    ...swap(TS, THREE, "  const total = price([1", "  // @ts-ignore\n  const total = price([1"),
    /silenced/,
  ],
  [
    "noqa in a test",
    ...swap(PY, pyTest("adds"), "import pytest", "import pytest  # noqa"),
    /silenced/,
  ],
  [
    "no cover in the source",
    ...swap("src/price.py", "def a():\n    return 1\n", "def a():", "def a():  # pragma: no cover"),
    /left out of the coverage/,
  ],
  [
    "snapshots are renewed wholesale",
    ...one(
      "test/__snapshots__/page.test.ts.snap",
      Array.from({ length: 8 }, (_, at) => `exports[\`page ${at} 1\`] = \`old ${at}\`;\n\n`).join(
        "",
      ),
      Array.from({ length: 8 }, (_, at) => `exports[\`page ${at} 1\`] = \`new ${at}\`;\n\n`).join(
        "",
      ),
    ),
    /renewed wholesale: 8 lines/,
  ],
];

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

describe("weakened tests are told", () => {
  it.each(WEAKENED)("%s", (_name, before, after, why, line) => {
    const cautions = weakenedTests(realDiff(before, after));
    const found = cautions.find((caution) => why.test(caution.why));
    expect(cautions.map((caution) => caution.why).join("\n")).toMatch(why);
    expect(Object.keys({ ...before, ...after })).toContain(found?.path);
    expect(found?.kind).toBe("weakened_test");
    if (line !== undefined) expect(found?.line).toBe(line);
    // One sign is told once, not by everything that looks at it.
    expect(cautions.length, JSON.stringify(cautions, null, 1)).toBeLessThanOrEqual(3);
  });
});

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

describe("any patch is read", () => {
  it("with names that git quotes", () => {
    const name = 'test/p"r\u00efce\n.test.ts';
    expect(weakenedTests(realDiff({ [name]: THREE }, { [name]: null }))).toMatchObject([
      { path: name, line: null },
    ]);
  });

  it("with content that looks like a patch", () => {
    const text = `${THREE}\n/* diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@ */\n`;
    const [caution, ...rest] = weakenedTests(
      realDiff(
        { [TS]: `${text}-- a/y\n` },
        { [TS]: `${text}++ b/y\n`.replace('it("adds"', 'it.skip("adds"') },
      ),
    );
    expect(caution).toMatchObject({ path: TS, line: 4 });
    expect(rest).toEqual([]);
  });

  it("with modes, links and binary files alone", () => {
    expect(weakenedTests("")).toEqual([]);
    expect(weakenedTests(realDiff({ "a.png": "\0\x01" }, { "a.png": "\0\x02" }))).toEqual([]);
  });

  it("however long its lines are", { timeout: 20_000 }, () => {
    for (const piece of [
      "it(",
      "expect(",
      'it("',
      "assert ",
      "(",
      "a.skip",
      "/*",
      "catch(",
      " in ",
      "[Fact(",
    ]) {
      const long = piece.repeat(Math.ceil(2 ** 18 / piece.length));
      weakenedTests(
        realDiff({ [TS]: THREE }, { [TS]: `${THREE}${long}\n`, "vitest.config.ts": long }),
      );
    }
  });

  it("and no more is told than a person reads", () => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [`test/t${at}.test.ts`, THREE]),
    );
    const none = Object.fromEntries(Object.keys(many).map((name) => [name, null]));
    const cautions = weakenedTests(realDiff(many, none));
    expect(cautions).toHaveLength(41);
    expect(cautions.at(-1)?.why).toBe("and 20 more signs of weakened tests, here and elsewhere");
  });
});
