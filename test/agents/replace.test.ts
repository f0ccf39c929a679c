import { describe, expect, test } from "vitest";
import { replaceExact } from "../../src/agents/tools/replace.ts";

const FILE = "function a() {\n\treturn 1;\n}\n\nfunction b() {\n\treturn 2;\n}\n";

function reason(text: string, old: string, wanted = "x"): string {
  const result = replaceExact(text, old, wanted, false);
  return result.status === "failed" ? result.reason : expect.fail("it was replaced");
}

describe("a replacement", () => {
  test.each([
    ["in the middle", FILE, "return 1;", "return 3;", FILE.replace("1", "3")],
    ["of nothing", FILE, "\treturn 1;\n", "", FILE.replace("\treturn 1;\n", "")],
    ["with patterns that mean nothing", "a.b", "a.b", "$&$1\\n", "$&$1\\n"],
    ["in CRLF by LF", "a\r\nb\r\nc\r\n", "a\nb", "1\n2\n3", "1\r\n2\r\n3\r\nc\r\n"],
    ["in CRLF from a line end", "a\r\nb\r\n", "\nb", "\nc", "a\r\nc\r\n"],
    ["in CRLF within a line", "a\r\nb\r\n", "b", "c\nd", "a\r\nc\r\nd\r\n"],
    ["in LF by CRLF", "a\nb\nc\n", "a\r\nb", "1\r\n2", "1\n2\nc\n"],
    ["in a CRLF part of an LF file", "a\nb\nc\r\nd\ne\n", "c\nd", "1\n2", "a\nb\n1\r\n2\ne\n"],
  ])("%s", (_, text, old, wanted, after) => {
    expect(replaceExact(text, old, wanted, false)).toEqual({
      status: "replaced",
      text: after,
      count: 1,
    });
  });

  test("of every place counts them", () => {
    expect(replaceExact("aaaa", "aa", "b", true)).toMatchObject({ text: "bb", count: 2 });
  });
});

describe("no replacement", () => {
  test("when only the white space differs, with what the file has", () => {
    expect(reason(FILE, "function b() {\n    return 2;\n}")).toBe(
      "old is not in the file exactly, but from line 5 only the white space differs. There the file has:\nfunction b() {\n\treturn 2;\n}",
    );
  });

  test("when the rest differs, with where its first line stands", () => {
    const why = reason(FILE, "function b() {\n\treturn 7;\n}");
    expect(why).toContain("Its first line stands in line 5, but what follows differs.");
  });

  test("when nothing is alike", () => {
    expect(reason(FILE, "class C {}")).toBe(
      "old is not in the file. Read the file again: it has to match character by character.",
    );
    expect(reason("a", "\n \n")).toContain("nothing but white space");
  });

  test("when it stands several times, with the lines", () => {
    expect(reason(FILE, "\treturn ")).toContain("stands 2 times in the file (from lines 2, 6)");
  });

  test("when nothing would change", () => {
    expect(reason(FILE, "return 1;", "return 1;")).toBe("old and new are the same.");
  });
});

describe("a text made to cost time", () => {
  const LONG = 200_000;

  test.each([
    ["one sign over and over", "a".repeat(LONG), `${"a".repeat(LONG / 4)}b${"a".repeat(LONG / 4)}`],
    ["one line over and over", "a\n".repeat(LONG), `${"a \n".repeat(LONG / 2)}b`],
  ])("is read once: %s", (_, text, old) => {
    const began = performance.now();
    expect(reason(text, old)).toContain("old is not in the file");
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
