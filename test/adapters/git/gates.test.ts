import { describe, expect, it } from "vitest";
import type { ChangedObject } from "../../../src/adapters/git/changed-files.ts";
import { refusal, TOO_LARGE } from "../../../src/adapters/git/gates.ts";
import { whereTo } from "../../../src/adapters/git/links.ts";

const MB = 1024 * 1024;

function added(path: string, more: Partial<ChangedObject> = {}): ChangedObject {
  const ids = { oldId: "0".repeat(40), newId: `id of ${path}` };
  const file = { path, oldMode: "000000", newMode: "100644", ...ids };
  return { ...file, status: "added", added: 1, removed: 0, leadsTo: null, ...more };
}

function link(path: string, target: string): string | null {
  const links = new Map([[path, target]]);
  const file = added(path, { newMode: "120000", leadsTo: whereTo(path, links) });
  return refusal({ files: [file], sizes: new Map(), links });
}

function judge(files: ChangedObject[], sizes: [string, number][] = []): string | null {
  return refusal({ files, sizes: new Map(sizes), links: new Map() });
}

describe("what may be taken", () => {
  it.each([
    ["a", "b"],
    ["a", "./b/c"],
    ["d/a", "../b"],
    ["d/e/a", "../../x/y"],
    ["d/a", "b/"],
    ["d/a", ".."],
    ["a", "..b/c"],
  ])("the link %s -> %s stays inside", (path, target) => {
    expect(link(path, target)).toBe(null);
  });

  it.each([
    ["a", "/etc/passwd"],
    ["a", ".."],
    ["a", "../x"],
    ["d/a", "../../x"],
    ["d/a", "x/../../../y"],
    ["a", "x/.."],
    ["a", "./.."],
    ["a", ""],
    ["a", "a"],
    ["a", "b/../c"],
  ])("the link %s -> %s may lead out", (path, target) => {
    expect(link(path, target)).toContain(JSON.stringify(path));
  });

  it.each([
    ["x", ".git/hooks/pre-commit"],
    ["d/x", "../.GIT"],
    ["x", "d/.g\u200cit"],
  ])("the link %s -> %s leads into .git", (path, target) => {
    expect(link(path, target)).toContain("link into .git");
  });

  it.each([
    ["a chain inside", "c/d", { x: "a", a: "b", b: "c/d" }],
    ["a chain whose last link leaves", null, { x: "a", a: "b", b: "/etc" }],
    [
      "a chain out of a folder that is a link",
      null,
      { x: "d/up/up", d: "e/f", "e/f/up": "../../.." },
    ],
    ["a way up where a link leads deep", "c", { x: "d/../c", d: "e/f", "e/c": "../c" }],
    ["a circle", null, { x: "a", a: "b", b: "x" }],
    ["a circle that grows", null, { x: "x/x" }],
    ["a link to the root", "", { "a/x": ".." }],
    ["a link that is too long", null, { x: "a", a: null }],
  ])("%s leads to %j", (_name, place, links: Record<string, string | null>) => {
    const [path = ""] = Object.keys(links);
    expect(whereTo(path, new Map(Object.entries(links)))).toBe(place);
  });

  it("a link whose target is too long to be read is refused", () => {
    const file = added("long", { newMode: "120000" });
    expect(judge([file])).toContain('"long"');
  });

  it("submodules may be removed, not added or moved", () => {
    const gone = { oldMode: "160000", newMode: "000000", status: "deleted" } as const;
    expect(judge([added("lib", gone)])).toBe(null);
    expect(judge([added("lib", { newMode: "160000" })])).toContain('"lib"');
    const moved = { oldMode: "160000", newMode: "160000", status: "modified" } as const;
    expect(judge([added("lib", moved)])).toContain('"lib"');
  });

  it.each([".git/x", "a/.GIT", "git~1", "a/.g\u200cit/x", ".git /x", ".git./x", ".git::$DATA"])(
    "%s is a name some systems take for .git",
    (path) => {
      expect(judge([added(path)])).toContain(JSON.stringify(path));
    },
  );

  it.each([".gitignore", ".github/x", "git", "a.git/x", ".gitt", "x/git~2"])(
    "%s is a name like any other",
    (path) => {
      expect(judge([added(path)])).toBe(null);
    },
  );

  it("sizes count alone and together, deleted files not at all", () => {
    const files = Array.from({ length: 6 }, (_, at) => added(`f${at}`));
    const sizes = (each: number) => files.map((file): [string, number] => [file.newId, each]);
    expect(judge(files, sizes(80 * MB))).toBe(null);
    expect(judge(files, sizes(90 * MB))).toBe(TOO_LARGE);
    expect(judge(files.slice(0, 1), sizes(101 * MB))).toContain('100 MB: "f0"');
    const deleted = files.map((file) => ({ ...file, status: "deleted" as const }));
    expect(judge(deleted, sizes(101 * MB))).toBe(null);
  });

  it("names a few of many, with what is odd in them visible", () => {
    const files = Array.from({ length: 7 }, (_, at) => added(`${at}\n\u001b/.git`));
    const reason = judge(files);
    expect(reason).toContain(String.raw`"0\n\u001b/.git"`);
    expect(reason).toContain("and 2 more");
  });
});

describe("links made to cost time", () => {
  it.each([
    ["that pass thousands of directories", `${"a/".repeat(2047)}b`, 400],
    ["that go down and up again", `${"x/".repeat(680)}${"../".repeat(680)}b`, 400],
    ["of blanks that end in something else", `${" ".repeat(4000)}x`, 5000],
  ])("%s are judged all the same", (_, target, count) => {
    const names = Array.from({ length: count }, (_, at) => `l${at}`);
    const links = new Map(names.map((name) => [name, target]));
    const work = { left: 1_000_000 };
    const began = performance.now();
    const files = names.map((name) =>
      added(name, { newMode: "120000", leadsTo: whereTo(name, links, work) }),
    );
    refusal({ files, sizes: new Map(), links });
    expect(performance.now() - began).toBeLessThan(4000);
  });
});
