import { describe, expect, it } from "vitest";
import { weakenedTests } from "../../../src/core/weakened.ts";
import { realDiff } from "../../support/real-diff.ts";
import {
  body,
  check,
  one,
  PACKAGE,
  PY,
  py,
  pyTest,
  type Row,
  swap,
  TS,
  tellsEach,
} from "../../support/weakened-samples.ts";

const CHECK = "expect(total).toBe(6);";
const GO = "price_test.go";
const go = (...lines: string[]) =>
  `package price\n\nfunc TestAdds(t *testing.T) {\n${lines.map((line) => `\t${line}\n`).join("")}}\n`;
const GO_CHECK = ["if Price(1) != 2 {", '\tt.Fatal("bad")', "}"];
const JAVA = "src/test/java/PriceTest.java";
const java = (mark: string) =>
  `class PriceTest {\n  ${mark}\n  void adds() {\n    assertEquals(2, price(1));\n  }\n}\n`;
const RUST = "src/lib.rs";
const rust = (line: string, marks = "#[test]", when = "#[cfg(test)]") =>
  `pub fn price() {}\n\n${when}\nmod tests {\n    ${marks}\n    fn adds() {\n        ${line}\n    }\n}\n`;
const RUBY = "spec/price_spec.rb";
const ruby = (...lines: string[]) =>
  `describe Price do\n  it "adds" do\n${lines.map((line) => `    ${line}\n`).join("")}  end\nend\n`;
const table = (...rows: string[]) =>
  `it.each([\n${rows.map((row) => `  ${row},\n`).join("")}])("%s", (a, b) => {\n  expect(price(a)).toBe(b);\n});\n`;

const SWALLOWED = /errors in a test are swallowed/;
const UNTIL: Row[] = [
  [
    "a failure is caught over several lines",
    ...check(CHECK, `try {\n    ${CHECK}\n  } catch {\n    // flaky\n  }`),
    SWALLOWED,
  ],
  [
    "a failure is caught and logged",
    ...check(CHECK, `try {\n    ${CHECK}\n  } catch (error) {\n    console.log(error);\n  }`),
    SWALLOWED,
  ],
  [
    "a failure is caught in Python",
    ...py(
      "assert total == 5",
      "try:\n        assert total == 5\n    except AssertionError:\n        pass",
    ),
    SWALLOWED,
  ],
  [
    "a failure is suppressed in Python",
    ...py("assert total == 5", "with suppress(AssertionError):\n        assert total == 5"),
    SWALLOWED,
  ],
  [
    "a failure is caught in Java",
    ...swap(
      JAVA,
      java("@Test"),
      "    assertEquals(2, price(1));\n",
      "    try {\n      assertEquals(2, price(1));\n    } catch (AssertionError e) {\n      // later\n    }\n",
    ),
    SWALLOWED,
  ],
  [
    "a failure is rescued in Ruby",
    ...one(
      RUBY,
      ruby("expect(price(1)).to eq(2)"),
      ruby("begin", "  expect(price(1)).to eq(2)", "rescue StandardError", "  nil", "end"),
    ),
    SWALLOWED,
  ],
  [
    "a condition is put around a check",
    ...check(CHECK, `if (process.env.SLOW) {\n    ${CHECK}\n  }`),
    /only under a condition now/,
  ],
  [
    "a test returns in its middle",
    ...check(`use(total);\n  ${CHECK}`, `use(total);\n  if (!total) return;\n  ${CHECK}`),
    /returns early under a condition/,
  ],
  [
    "a check holds anyway",
    ...check(CHECK, "expect(total === 6 || true).toBe(true);"),
    /decides nothing/,
  ],
  [
    "a condition never holds in Go",
    ...one(GO, go(...GO_CHECK), go("if Price(1) != 2 && false {", ...GO_CHECK.slice(1))),
    /decides nothing/,
  ],
  [
    "a tuple is asserted",
    ...py("assert total == 5", 'assert (total == 5, "total")'),
    /always true/,
  ],
  [
    "nothing waits for a check",
    ...check("await expect(total).resolves.toBe(6);", "expect(total).resolves.toBe(6);"),
    /no longer waits/,
  ],
  [
    "any exception will do in Python",
    ...py("with pytest.raises(ValueError):", "with pytest.raises(Exception):"),
    /whether there is something/,
  ],
  [
    "any error will do in Ruby",
    ...one(
      RUBY,
      ruby("expect { price(1) }.to raise_error(ArgumentError)"),
      ruby("expect { price(1) }.to raise_error"),
    ),
    /whether there is something/,
  ],
  [
    "a check goes that stands in the source of Rust",
    ...one(RUST, rust("assert_eq!(price(1), 2);"), rust("let _ = price(1);")),
    /checks less than before/,
  ],
  [
    "a test of Rust must panic",
    ...one(
      RUST,
      rust("assert_eq!(price(1), 2);"),
      rust("assert_eq!(price(1), 2);", "#[test]\n    #[should_panic]"),
    ),
    /only when it panics/,
  ],
  [
    "tests of Rust want a feature",
    ...one(
      RUST,
      rust("assert_eq!(price(1), 2);"),
      rust("assert_eq!(price(1), 2);", "#[test]", '#[cfg(all(test, feature = "slow"))]'),
    ),
    /only under a condition/,
  ],
  [
    "a test of Go changes its name",
    ...swap(GO, go(...GO_CHECK), "TestAdds", "testAdds"),
    /was removed/,
  ],
  [
    "a file of Go changes its name",
    { [GO]: go(...GO_CHECK) },
    { [GO]: null, "price_tests.go": go(...GO_CHECK) },
    /deleted, with its test case/,
  ],
  [
    "a file of Go wants a tag",
    ...one(GO, go(...GO_CHECK), `//go:build slow\n\n${go(...GO_CHECK)}`),
    /unless a tag is given/,
  ],
  [
    "the tests of Go end well whatever they say",
    ...one(
      GO,
      go(...GO_CHECK),
      `${go(...GO_CHECK)}\nfunc TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\n`,
    ),
    /as if all had passed/,
  ],
  [
    "a test of Java wants a variable",
    ...one(
      JAVA,
      java("@Test"),
      java('@EnabledIfEnvironmentVariable(named = "S", matches = "1")\n  @Test'),
    ),
    /under a condition/,
  ],
  [
    "a test of Java passes when it fails",
    ...one(JAVA, java("@Test"), java("@Test(expected = AssertionError.class)")),
    /passes when it fails/,
  ],
  [
    "a module of Python is no test",
    ...swap(PY, pyTest("adds"), "import pytest\n", "import pytest\n\n__test__ = False\n"),
    /looked for no more/,
  ],
  [
    "a hook of pytest passes what failed",
    ...one(
      "tests/conftest.py",
      "import pytest\n",
      "import pytest\n\n\ndef pytest_runtest_makereport(item, call):\n    call.excinfo = None\n",
    ),
    /as a hook of pytest says/,
  ],
  [
    "a row goes from a table",
    ...one(TS, table("[1, 2]", "[2, 4]"), table("[1, 2]")),
    /1 row of a table/,
    3,
  ],
];

describe("checks that stand and decide less are told", () => tellsEach(UNTIL));

const SH = "test.sh";
describe("scripts that demand less are told", () => {
  tellsEach([
    [
      "a runner goes",
      ...one(SH, "npm test\nnpm run lint\n", "npm test\n"),
      /fewer tests or checks/,
    ],
    ["errors stop it no more", ...one(SH, "set -e\nnpm test\n", "npm test\n"), /failing command/],
    ["it ends well", ...one(SH, "npm test\n", "npm test\nexit 0\n"), /failing command/],
    [
      "one file is tested",
      ...one(SH, "node --test\n", "node --test a.test.js\n"),
      /names files now/,
    ],
    [
      "one folder is tested",
      ...swap("package.json", PACKAGE, "vitest run", "vitest run test/unit"),
      /names files now/,
    ],
    [
      "all is on one line",
      ...one("package.json", '{"scripts":{"test":"jest"}}\n', '{"scripts":{"test":"true"}}\n'),
      /no longer runs jest/,
    ],
    [
      "make goes on",
      ...one("Makefile", "test:\n\tpytest\n", "test:\n\t-pytest\n"),
      /failing command/,
    ],
    [
      "a test of Maven is left out",
      ...one("pom.xml", "<a>\n</a>\n", "<a>\n<exclude>**/PriceTest.java</exclude>\n</a>\n"),
      /fewer tests run/,
    ],
  ]);
});

describe("what demands as much stays unsaid", () => {
  it.each([
    [
      "a version changes",
      ...one(
        "package.json",
        '{\n  "lint-staged": "1.0.0"\n}\n',
        '{\n  "lint-staged": "2.0.0"\n}\n',
      ),
    ],
    [
      "what was built is left out",
      ...one("tsconfig.json", '{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "exclude": ["dist"]\n}\n'),
    ],
    [
      "Go fails by a library",
      ...one(
        GO,
        go("got, err := Price(1)", "if err != nil {", "\tt.Fatal(err)", "}", ...GO_CHECK),
        go("got, err := Price(1)", "require.NoError(t, err)", ...GO_CHECK),
      ),
    ],
    [
      "tests of Rust get a file",
      { [RUST]: rust("assert_eq!(price(1), 2);") },
      {
        [RUST]: "pub fn price() {}\n\n#[cfg(test)]\nmod tests;\n",
        "src/tests.rs": "#[test]\nfn adds() {\n    assert_eq!(price(1), 2);\n}\n",
      },
    ],
    ["a shell goes on", ...check("run();", 'run("rm -f x || true");')],
    [
      "a new test has a tag",
      { a: "1", [GO]: null },
      { a: "1", [GO]: `//go:build linux\n\n${go(...GO_CHECK)}` },
    ],
    ["a row is changed", ...one(TS, table("[1, 2]", "[2, 4]"), table("[1, 2]", "[2, 5]"))],
    ["more is asked of a script", ...one(SH, "pytest\n", "pytest -q --maxfail 3\n")],
    [
      "what may fail is caught beside a check",
      ...one(
        TS,
        body(CHECK),
        body(
          `${CHECK}\n  try {\n    await remove();\n  } catch (error) {\n    seen.push(error);\n  }`,
        ),
      ),
    ],
  ])("%s", (_name, before, after) => {
    expect(weakenedTests(realDiff(before, after))).toEqual([]);
  });
});
