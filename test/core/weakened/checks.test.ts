import { describe } from "vitest";
import {
  body,
  check,
  one,
  PY,
  py,
  pyTest,
  swap,
  THREE,
  TS,
  tellsEach,
} from "../../support/weakened-samples.ts";

describe("checks that demand less are told", () => {
  tellsEach([
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
    [
      "== becomes is not None",
      ...py("assert total == 5", "assert total is not None"),
      /only looks/,
    ],
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
  ]);
});
