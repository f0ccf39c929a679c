import { describe, expect, it } from "vitest";
import { weakenedTests } from "../../../src/core/weakened.ts";
import { realDiff } from "../../support/real-diff.ts";
import { THREE, TS } from "../../support/weakened-samples.ts";

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

  it("however many entries its lists have", { timeout: 20_000 }, () => {
    for (const lists of [
      `exclude: [\n${'  "a",\n'.repeat(100_000)}]\n`,
      'exclude: "a"\n'.repeat(60_000),
    ]) {
      const began = performance.now();
      const cautions = weakenedTests(realDiff({ [TS]: THREE }, { "vitest.config.ts": lists }));
      expect(cautions.length).toBeGreaterThan(40);
      expect(performance.now() - began).toBeLessThan(8000);
    }
  });

  it("however many checks it adds", { timeout: 20_000 }, () => {
    const line = `${"expect(a).toBe(1);".repeat(8)}\n`;
    const patch = realDiff({ [TS]: THREE }, { [TS]: `${THREE}${line.repeat(20_000)}` });
    expect(weakenedTests(patch)).toMatchObject([
      { path: TS, why: expect.stringContaining("changed too much") },
    ]);
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

it("says of a file that changed too much that it was not looked through, and looks through the others", () => {
  const huge = Array.from({ length: 20_000 }, (_, at) => `expect(${"x".repeat(60)}).toBe(${at})`);
  const patch = (path: string, before: string[], after: string[]) =>
    [
      `diff --git a/${path} b/${path}`,
      `--- a/${path}`,
      `+++ b/${path}`,
      `@@ -1,${before.length} +1,${after.length} @@`,
      ...before.map((line) => `-${line}`),
      ...after.map((line) => `+${line}`),
      "",
    ].join("\n");
  const cautions = weakenedTests(
    patch("huge.test.js", huge, ["expect(1)"]) +
      patch("package-lock.json", huge, huge.toReversed()) +
      patch("small.test.js", ["it('works', run)"], ["it.skip('works', run)"]),
  );
  expect(cautions.map(({ path, why }) => [path, why])).toEqual([
    ["huge.test.js", "this file changed too much to be looked through for weaker tests"],
    ["small.test.js", expect.stringContaining("skipped")],
  ]);
});
