import { describe, expect, it } from "vitest";
import { limitViolations } from "../../src/core/change-limits.ts";
import { addedLines, readPatch } from "../../src/core/patch.ts";
import type { ChangedFile } from "../../src/core/ports.ts";
import { repoConfigSchema } from "../../src/core/repo-config.ts";
import { scanPieces } from "../../src/core/scan-pieces.ts";

function file(path: string, more: Partial<ChangedFile> = {}): ChangedFile {
  const modes = { oldMode: "100644", newMode: "100644", leadsTo: null };
  return { path, added: 1, removed: 0, status: "modified", ...modes, ...more };
}

/** A patch that adds lines at the beginning of a file. */
const adds = (path: string, lines: string[]) =>
  `diff --git a/${path} b/${path}\nindex 0..1 100644\n--- a/${path}\n+++ b/${path}\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}\n`).join("")}`;

describe("a patch is taken apart", () => {
  it("into lines that came, with their numbers, and lines that went", () => {
    const text =
      "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@ function\n one\n-two\n+TWO\n+2\n three\n@@ -9 +10 @@\n-nine\n+NINE\n\\ No newline at end of file\n";
    const [patch] = readPatch(text, [file("x")]);
    expect(patch && addedLines(patch)).toEqual([
      { line: 2, text: "TWO" },
      { line: 3, text: "2" },
      { line: 10, text: "NINE" },
    ]);
    expect(patch?.removed).toEqual(["two", "nine"]);
  });

  it.each([
    ["headers as content", ["diff --git a/y b/y", "--- a/y", "++ b/y", "@@ -1 +1 @@"]],
    ["a header behind a carriage return", ["a\rdiff --git a/y b/y"]],
    ["a header behind a line separator", ["a\u2028diff --git a/y b/y\u2029@@ -1 +1 @@"]],
  ])("whatever a file holds: %s", (_name, lines) => {
    const files = [file("x"), file("z")];
    const [x, z] = readPatch(adds("x", lines) + adds("z", ["end"]), files);
    expect(x && addedLines(x).map(({ text }) => text)).toEqual(lines);
    expect(z && addedLines(z).map(({ text }) => text)).toEqual(["end"]);
  });

  it("a file that became a link is one of its files", () => {
    const text = `diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\ndiff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+y\n\\ No newline at end of file\n${adds("z", ["end"])}`;
    const [x, z] = readPatch(text, [file("x", { status: "type_changed" }), file("z")]);
    expect([x?.removed, x && addedLines(x)]).toEqual([["old"], [{ line: 1, text: "y" }]]);
    expect(z?.file.path).toBe("z");
  });

  it("and one that does not belong to its list of files is nobody's", () => {
    expect(() => readPatch(adds("x", ["a"]) + adds("y", ["b"]), [file("x")])).toThrow("belong");
  });
});

describe("limits of a change", () => {
  const { limits } = repoConfigSchema.parse({
    limits: { files: 2, lines: 10, kilobytes: 1, binary_kilobytes: 1 },
  });
  const exceeded = (given: [ChangedFile, string[]][]) => {
    const patch = given.map(([{ path }, lines]) => adds(path, lines)).join("");
    const files = given.map(([each]) => each);
    return limitViolations(readPatch(patch, files), limits).map(({ reason }) => reason);
  };

  it("hold what is small enough", () => {
    expect(exceeded([[file("a", { added: 10 }), ["x"]]])).toEqual([]);
  });

  it.each<[string, [ChangedFile, string[]][]]>([
    [
      'limits.files in .github/codex.yml). Most of it is in "dist/"',
      ["a", "dist/b", "dist/c"].map((name) => [file(name), ["x"]]),
    ],
    ["12 lines added and removed", [[file("a", { added: 10, removed: 2 }), ["x"]]]],
    ["a patch of 3 KB", [[file("a"), ["x".repeat(2100)]]]],
    ["2 KB of binary files", [[file("a", { added: null, removed: null }), ["\0".repeat(1100)]]]],
  ])("%s", (words, given) => {
    expect(exceeded(given)).toEqual([expect.stringContaining(words)]);
  });
});

describe("what is looked through for secrets", () => {
  const pieces = (...given: [string, string[]][]) => {
    const files = given.map(([path]) => file(path));
    const patch = given.map(([path, lines]) => adds(path, lines)).join("");
    return [...scanPieces(readPatch(patch, files))];
  };

  it("each added line stands in a piece, with its number", () => {
    expect(pieces(["a", ["one", "two"]], ["b", ["three"]])).toEqual([
      { file: 0, text: "one\ntwo\n", lines: [1, 2] },
      { file: 1, text: "three\n", lines: [1] },
    ]);
  });

  it("a block of lines is whole in one piece, wherever it stands in a large file", () => {
    const block = Array.from({ length: 50 }, (_, index) => `key line ${index} ${"k".repeat(50)}`);
    for (const before of [0, 500, 1290, 1310, 1320, 5000]) {
      const lines = [...Array.from({ length: before }, () => "x".repeat(99)), ...block, "end"];
      const found = pieces(["a", lines]).find(({ text }) => text.includes(block.join("\n")));
      const at = found?.text.slice(0, found.text.indexOf("key line 0 ")).split("\n").length ?? 0;
      expect(found?.lines[at - 1]).toBe(before + 1);
    }
  });

  it("a line without end is cut into pieces that overlap", () => {
    const line = Array.from({ length: 60_000 }, (_, index) => String(index).padStart(6, "0")).join(
      "",
    );
    const found = pieces(["a", [line]]);
    expect(Math.max(...found.map(({ text }) => text.length))).toBeLessThan(300_000);
    for (let at = 0; at + 100 < line.length; at += 997) {
      expect(found.some(({ text }) => text.includes(line.slice(at, at + 100)))).toBe(true);
    }
  });
});
