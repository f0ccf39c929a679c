import { describe, expect, test } from "vitest";
import { applyHunks } from "../../src/agents/tools/patch/hunks.ts";
import { parsePatch } from "../../src/agents/tools/patch/parse.ts";

/** The text after the only section of a patch, or why there is none. */
function patched(text: string, body: string): string {
  const parsed = parsePatch(`*** Begin Patch\n*** Update File: a.ts\n${body}\n*** End Patch\n`);
  if (parsed.status === "failed") return parsed.reason;
  const [file] = parsed.files;
  if (file?.kind !== "update") throw new Error("it is no update");
  const done = applyHunks(text, file.hunks);
  return done.status === "patched" ? done.text : `failed: ${done.reason}`;
}

function parsed(patch: string) {
  const result = parsePatch(patch);
  return result.status === "parsed" ? result.files : result.reason;
}

describe("reading a patch", () => {
  const UPDATE = "*** Update File: a.py\n@@ def f():\n-    x\n+    y";
  const FILES = [
    {
      kind: "update",
      path: "a.py",
      moveTo: null,
      hunks: [
        {
          headers: ["def f():"],
          atEnd: false,
          lines: [
            { kind: "drop", text: "    x" },
            { kind: "add", text: "    y" },
          ],
        },
      ],
    },
  ];

  test.each([
    ["as it is documented", `*** Begin Patch\n${UPDATE}\n*** End Patch`],
    ["in a fence", `\`\`\`diff\n*** Begin Patch\n${UPDATE}\n*** End Patch\n\`\`\``],
    ["in a here-document", `apply_patch <<'EOF'\n*** Begin Patch\n${UPDATE}\n*** End Patch\nEOF\n`],
    ["with CRLF", `*** Begin Patch\n${UPDATE}\n*** End Patch\n`.replaceAll("\n", "\r\n")],
    ["without the last mark", `*** Begin Patch\n${UPDATE}`],
    ["without both marks", UPDATE],
    ["without the last mark, in a fence", `\`\`\`\n*** Begin Patch\n${UPDATE}\n\`\`\`\n`],
    ["with white space around marks", `  *** Begin Patch \n ${UPDATE}\n *** End Patch \n\n`],
    ["with words before it", `Here it is:\n*** Begin Patch\n${UPDATE}\n*** End Patch`],
    ["with a closing @@", `*** Begin Patch\n${UPDATE.replace("f():", "f(): @@")}\n*** End Patch`],
    ["with a quoted path", `*** Begin Patch\n${UPDATE.replace("a.py", "`a.py`")}\n*** End Patch`],
    ["with an empty line at the end", `*** Begin Patch\n${UPDATE}\n\n*** End Patch`],
  ])("%s", (_, patch) => {
    expect(parsed(patch)).toEqual(FILES);
  });

  test("takes several files, moves, and two patches in a row", () => {
    const files = parsed(`*** Begin Patch
*** Add File: new.txt
+one
+
+*** End Patch
*** Delete File: old.txt
*** Update File: from.txt
*** Move to: to.txt
*** End Patch
*** Begin Patch
*** Add File: empty.txt
*** End Patch`);
    expect(files).toEqual([
      { kind: "add", path: "new.txt", lines: ["one", "", "*** End Patch"] },
      { kind: "delete", path: "old.txt" },
      { kind: "update", path: "from.txt", moveTo: "to.txt", hunks: [] },
      { kind: "add", path: "empty.txt", lines: [] },
    ]);
  });

  test.each([
    ["", "names no file"],
    ["*** Begin Patch\n*** End Patch", "names no file"],
    ["*** Begin Patch\n*** Update File: a\n*** End Patch", "no lines that say what to change"],
    ["*** Begin Patch\n*** Update File:\n@@\n-a\n*** End Patch", "it names no file"],
    [
      "*** Begin Patch\n*** Add File: a\none\n*** End Patch",
      'Line 3 of the patch, "one": each line',
    ],
    ["*** Begin Patch\n*** Update File: a\n@@\n-a\nb\n*** End Patch", "none of the signs"],
    ["*** Begin Patch\n*** Frobnicate File: a\n*** End Patch", "names no file"],
    ["--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "unified diff"],
  ])("says what is wrong with %j", (patch, why) => {
    expect(parsed(patch)).toContain(why);
  });
});

describe("a patch that is not quite in its form", () => {
  test("goes on behind an end that came before the last file", () => {
    const first = "*** Begin Patch\n*** Update File: a.py\n@@\n-a\n+b\n*** End Patch\n";
    const second = "*** Update File: b.py\n@@\n-c\n+d\n";
    for (const patch of [first + second, `${first}\n${second}*** End Patch\nEOF\n`]) {
      expect(parsed(patch)).toMatchObject([{ path: "a.py" }, { path: "b.py" }]);
    }
    // Of words behind the end nothing is expected, of a hunk nobody knows the file.
    expect(parsed(`${first}That is all.\n- and no more`)).toMatchObject([{ path: "a.py" }]);
    expect(parsed(`${first}@@\n-c\n+d\n`)).toContain("behind *** End Patch");
    const quoted = "I shall write\n*** Update File: x\nfor it:\n";
    expect(parsed(quoted + first)).toMatchObject([{ path: "a.py" }]);
  });

  test("may say at the end of a new file that it ends", () => {
    const add = "*** Begin Patch\n*** Add File: a.txt\n+one\n*** End of File\n";
    const expected = { kind: "add", path: "a.txt", lines: ["one"] };
    expect(parsed(`${add}*** End Patch`)).toEqual([expected]);
    expect(parsed(`${add}*** Delete File: b.txt\n*** End Patch`)).toEqual([
      expected,
      { kind: "delete", path: "b.txt" },
    ]);
    expect(parsed(`${add}+two\n*** End Patch`)).toContain("has to begin with +");
  });
});

describe("the indentation of lines that are added", () => {
  const PYTHON = "def f():\n    if a:\n        x = 1\n    return x\n";

  test("is that of the file where the whole patch has less, or more", () => {
    const wanted = "def f():\n    if a:\n        x = 1\n        y = 2\n    return x\n";
    expect(patched(PYTHON, "@@\n if a:\n     x = 1\n+    y = 2\n return x")).toBe(wanted);
    const deep = "@@\n       if a:\n           x = 1\n+          y = 2\n       return x";
    expect(patched(PYTHON, deep)).toBe(wanted);
    // Deeper than any line of the context.
    expect(patched(PYTHON, "@@\n if a:\n     x = 1\n+    if x:\n+        y = 2")).toBe(
      "def f():\n    if a:\n        x = 1\n        if x:\n            y = 2\n    return x\n",
    );
  });

  test("is that of the line it replaces, where that one alone differs", () => {
    const text = "def f():\n    x = 1\n    return x\n";
    expect(patched(text, "@@\n-x = 1\n+x = 2\n     return x")).toBe(
      "def f():\n    x = 2\n    return x\n",
    );
  });

  test("is in tabs where the file's is and the patch has spaces", () => {
    const text = "func f() {\n\tif a {\n\t\tg()\n\t}\n}\n";
    const body =
      "@@\n     if a {\n         g()\n+        h()\n+        if b {\n+            i()\n+        }\n     }";
    expect(patched(text, body)).toBe(
      "func f() {\n\tif a {\n\t\tg()\n\t\th()\n\t\tif b {\n\t\t\ti()\n\t\t}\n\t}\n}\n",
    );
  });

  test("stays as written where the patch has the file's own, or its lines do not agree", () => {
    expect(patched(PYTHON, "@@\n     if a:\n-        x = 1\n+    x = 1")).toBe(
      "def f():\n    if a:\n    x = 1\n    return x\n",
    );
    const text = "a:\n  b: 1\n    c: 2\n";
    expect(patched(text, "@@\n b: 1\n c: 2\n+d: 3")).toBe("a:\n  b: 1\n    c: 2\nd: 3\n");
  });

  test("does not matter for empty lines, and keeps the line ends", () => {
    const text = "if a:\r\n    x\r\n\r\n    y\r\n";
    expect(patched(text, "@@\n x\n \n+z\n+\n y")).toBe(
      "if a:\r\n    x\r\n\r\n    z\r\n\r\n    y\r\n",
    );
  });
});

describe("where a hunk goes", () => {
  test("at the place of its context, with several in order", () => {
    expect(patched("a\nb\nc\nd\ne\n", "@@\n a\n-b\n+B\n c\n@@\n d\n-e\n+E")).toBe(
      "a\nB\nc\nd\nE\n",
    );
    expect(patched("a\nb\n", " a\n-b\n+c")).toBe("a\nc\n");
  });

  test("with numbers of a unified diff, which say nothing", () => {
    expect(patched("a\nb\n", "@@ -90,2 +91,2 @@ class X\n a\n-b\n+c")).toBe("a\nc\n");
  });

  const METHODS =
    "class A:\n  def run(self):\n    return 1\n\nclass B:\n  def run(self):\n    return 1\n";

  test("below what @@ names, also by several", () => {
    const second = METHODS.replace(/return 1\n$/, "return 2\n");
    expect(patched(METHODS, "@@ class B:\n-    return 1\n+    return 2")).toBe(second);
    expect(patched(METHODS, "@@ class B:\n@@   def run(self):\n-    return 1\n+    return 2")).toBe(
      second,
    );
    expect(patched(METHODS, "@@ class B\n-    return 1\n+    return 2")).toBe(second);
    expect(patched(METHODS, "@@ class B:\n+  x = 1")).toBe(
      METHODS.replace("class B:\n", "class B:\n  x = 1\n"),
    );
  });

  test("nowhere when it could be two places", () => {
    const told = "these lines stand 2 times in it (from lines 3, 7)";
    expect(patched(METHODS, "@@\n-    return 1\n+    return 2")).toContain(told);
    expect(patched(METHODS, "@@   def run(self):\n-    return 1\n+    return 2")).toContain(told);
    expect(patched(METHODS, "@@ class C:\n-    return 1\n+    return 2")).toContain(told);
    expect(patched(METHODS, "@@   def run(self):\n+    pass")).toContain("stands 2 times");
    expect(patched("a\na\na\n", "@@\n a\n-a\n+b")).toContain("stand 2 times");
  });

  test("at the end of the file where it says so, or where it only adds", () => {
    expect(patched("x\ny\nx\n", "@@\n-x\n+z\n*** End of File")).toBe("x\ny\nz\n");
    expect(patched("x\n", "@@\n+y")).toBe("x\ny\n");
    expect(patched("", "@@\n+y")).toBe("y\n");
    expect(patched("x\n", "@@\n x\n+y\n ")).toBe("x\ny\n");
  });

  test("although white space and punctuation differ; lines that stay, stay as they are", () => {
    expect(patched("if x:  \n\ty = 1\n", "@@\n if x:\n-    y = 1\n+\ty = 2")).toBe(
      "if x:  \n\ty = 2\n",
    );
    expect(patched("a \u2014 b \u201cc\u201d\u00a0d\nx\n", '@@\n a - b "c" d\n-x\n+y')).toBe(
      "a \u2014 b \u201cc\u201d\u00a0d\ny\n",
    );
    expect(patched("x\n\tx\n", "@@\n-x\n+y")).toBe("y\n\tx\n");
  });

  test("line ends, a byte order mark and a missing last line feed stay", () => {
    expect(patched("a\r\nb\r\n", "@@\n a\n-b\n+c\n+d")).toBe("a\r\nc\r\nd\r\n");
    expect(patched("\ufeffa\nb", "@@\n-a\n+c\n b")).toBe("\ufeffc\nb");
    expect(patched("a\nb", "@@\n a\n-b\n+c")).toBe("a\nc");
    expect(patched("a\r\nb", "@@\n b\n+c")).toBe("a\r\nb\r\nc");
    expect(patched("a\r\nb\nc\r\nd\r\n", "@@\n-c\n+C")).toBe("a\r\nb\nC\r\nd\r\n");
    expect(patched("a\nb\n", "@@\n-a\n-b")).toBe("");
    expect(patched("a\nb", "@@\n a\n-b")).toBe("a");
  });

  test("is told with the lines looked for and what stands there", () => {
    expect(patched("one\ntwo\nthree\nfour\n", "@@\n two\n-tree\n+3")).toBe(
      "failed: these lines are not in it:\ntwo\ntree\nFrom line 2 the file has:\ntwo\nthree\nfour",
    );
    expect(patched("one\n", "@@\n-x\n+y")).toContain("Read the file again");
    expect(patched("one\ntwo\n", "@@\n-two\n+2\n@@\n-one\n+1")).toContain("the hunk for line 1");
  });

  test("takes no minutes for lines that nearly repeat", () => {
    const text = "a\n".repeat(300_000);
    expect(patched("a\n", `@@ x${" ".repeat(400_000)}y\n-a\n+b`)).toBe("b\n");
    const body = `@@\n${" a\n".repeat(50_000)}-b\n+c`;
    expect(patched(text, body)).toContain("these lines are not in it");
    expect(patched(`${"a".repeat(200_000)}\n${" ".repeat(400_000)}x\n`, "@@\n-b\n+c")).toContain(
      "not in it",
    );
  });
});
