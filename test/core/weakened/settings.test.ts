import { describe } from "vitest";
import {
  one,
  PACKAGE,
  PY,
  pyTest,
  swap,
  THREE,
  TS,
  TSCONFIG,
  tellsEach,
  VITEST,
} from "../../support/weakened-samples.ts";

describe("settings that ask for less are told", () => {
  tellsEach([
    [
      "snapshots are renewed by every run",
      ...swap("package.json", PACKAGE, "vitest run", "vitest run -u"),
      /renewed whenever tests run/,
    ],
    [
      "only some tests run",
      ...swap("package.json", PACKAGE, "vitest run", "vitest run --testNamePattern adds"),
      /fewer tests run/,
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
      ...swap(
        "src/price.py",
        "def a():\n    return 1\n",
        "def a():",
        "def a():  # pragma: no cover",
      ),
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
  ]);
});
