import { describe } from "vitest";
import { one, PY, pyTest, swap, THREE, TS, tellsEach } from "../../support/weakened-samples.ts";

describe("tests that do not run are told", () => {
  tellsEach([
    [
      "pytestmark for a whole file",
      ...swap(PY, pyTest("adds"), "import pytest", "import pytest\npytestmark = pytest.mark.skip"),
      /skipped/,
    ],
    [
      "a test of TestNG that is not enabled",
      ...swap(
        "src/test/java/ATest.java",
        "  @Test\n  void a() { run(); }\n",
        "@Test",
        "@Test(enabled = false)",
      ),
      /disabled/,
    ],
    [
      "a mark of RSpec",
      ...swap("spec/a_spec.rb", 'it "adds" do\n  run\nend\n', '"adds" do', '"adds", :skip do'),
      /skipped/,
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
      ...swap(
        PY,
        pyTest("adds"),
        "def test_adds",
        '@pytest.mark.skip(reason="slow")\ndef test_adds',
      ),
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
  ]);
});
