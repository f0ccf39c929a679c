import { describe } from "vitest";
import {
  jsTest,
  one,
  PY,
  pyTest,
  swap,
  THREE,
  TS,
  tellsEach,
} from "../../support/weakened-samples.ts";

describe("test cases that went are told", () => {
  tellsEach([
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
  ]);
});
