import { describe, expect, it } from "vitest";
import { globMatcher } from "../../src/core/glob.ts";
import { pathViolations } from "../../src/core/paths.ts";
import type { ChangedFile } from "../../src/core/ports.ts";
import type { RepoConfig } from "../../src/core/repo-config.ts";

function file(path: string, changes: Partial<ChangedFile> = {}): ChangedFile {
  return {
    path,
    added: 1,
    removed: 0,
    status: "modified",
    oldMode: "100644",
    newMode: "100644",
    ...changes,
  };
}

const open: RepoConfig["paths"] = { allowed: ["**"], protected: [] };
const paths = (files: ChangedFile[], config = open) =>
  pathViolations(files, config).map((found) => found.path);

describe("paths no job may change, whatever is configured", () => {
  it.each<[string, string]>([
    ["a workflow", ".github/workflows/ci.yml"],
    ["a file deep in the workflows", ".github/workflows/a/b.txt"],
    ["our configuration", ".github/codex.yml"],
    ["other capitals", ".GITHUB/Workflows/ci.yml"],
    ["a letter that becomes the same in capitals", ".github/workflow\u017F/ci.yml"],
    ["a Kelvin sign", ".github/wor\u212Aflows/ci.yml"],
    ["a zero-width character, which some file systems ignore", ".git\u200Chub/workflows/ci.yml"],
    ["backslashes, which Windows takes for folders", ".github\\workflows\\ci.yml"],
    ["a dot at the end of a name, which Windows drops", ".github./workflows /ci.yml"],
    ["a line end in a name", ".github/workflows/a\nb.yml"],
    ["a file in place of the folder", ".github/workflows"],
    ["a link in place of the folder above", ".github"],
  ])("%s", (_name, path) => {
    expect(paths([file("src/a.ts"), file(path, { status: "added", newMode: "120000" })])).toEqual([
      path,
    ]);
    expect(paths([file(path)], { allowed: [path, "**"], protected: [] })).toEqual([path]);
  });

  it.each<[string, Partial<ChangedFile>]>([
    ["deleted", { status: "deleted", newMode: "000000" }],
    ["made executable", { newMode: "100755", added: 0 }],
    ["turned into a link", { status: "type_changed", newMode: "120000" }],
  ])("a workflow that is %s", (_name, changes) => {
    expect(paths([file(".github/workflows/ci.yml", changes)])).toEqual([
      ".github/workflows/ci.yml",
    ]);
  });

  it("a submodule that is added, moved or removed", () => {
    expect(paths([file("lib", { status: "added", newMode: "160000" })])).toEqual(["lib"]);
    expect(paths([file("lib", { oldMode: "160000", newMode: "160000" })])).toEqual(["lib"]);
    expect(
      paths([file("lib", { oldMode: "160000", newMode: "000000", status: "deleted" })]),
    ).toEqual(["lib"]);
  });

  it("but their neighbours may change", () => {
    const neighbours = [
      ".github/dependabot.yml",
      ".github/codex.yml.md",
      ".github/workflows.md",
      "docs/.github/workflows/example.yml",
      ".gitignore",
      "src/a.ts",
    ];
    expect(paths(neighbours.map((path) => file(path)))).toEqual([]);
  });

  it("with a reason for each", () => {
    const found = pathViolations(
      [
        file(".github/workflows/ci.yml"),
        file("lib", { newMode: "160000" }),
        file("a.lock"),
        file("b.txt"),
      ],
      { allowed: ["src/**", "*.lock"], protected: ["*.lock"] },
    );
    expect(found).toEqual([
      { path: ".github/workflows/ci.yml", reason: expect.stringContaining("secrets") },
      { path: "lib", reason: expect.stringContaining("submodule") },
      { path: "a.lock", reason: 'protected by "*.lock" in .github/codex.yml' },
      { path: "b.txt", reason: "not among the allowed paths of .github/codex.yml" },
    ]);
  });
});

describe("configured paths", () => {
  const guard = (glob: string, path: string) =>
    paths([file(path)], { allowed: ["**"], protected: [glob] }).length > 0;
  const allow = (glob: string, path: string) =>
    paths([file(path)], { allowed: [glob], protected: [] }).length === 0;

  it.each<[string, string]>([
    ["package.json", "package.json"],
    ["package.json", "packages/a/package.json"],
    ["*.pem", "deep/.hidden/key.pem"],
    ["/infra", "infra/main.tf"],
    ["infra/", "infra/a/b.tf"],
    ["./infra/**", "infra/a.tf"],
    ["infra/**/*.tf", "infra/a.tf"],
    ["{a,b}/*.{js,ts}", "b/x.ts"],
    ["src/[a-c]?.ts", "src/bx.ts"],
    ["Café/**", "cafe\u0301/x"],
    ["README.md", "readme.MD"],
    ["secrets/**", "secrets/a\nb"],
    ["a b/*", "a b/c d"],
    [".env*", "app/.env.local"],
  ])("%j protects %j", (glob, path) => {
    expect(guard(glob, path)).toBe(true);
  });

  it.each<[string, string]>([
    ["/package.json", "packages/a/package.json.bak"],
    ["infra/*", "src/infra/a.tf"],
    ["*.pem", "key.pem.txt"],
    ["src/*.ts", "src/a/b.ts.js"],
    ["!src/**", "src/a.ts"],
    ["+(a|b)", "a"],
  ])("%j does not protect %j", (glob, path) => {
    expect(guard(glob, path)).toBe(false);
  });

  it("allow exactly what they name", () => {
    expect(allow("**", ".eslintrc")).toBe(true);
    expect(allow("src/**", "src/a/b.ts")).toBe(true);
    expect(allow("src", "src/a/b.ts")).toBe(true);
    expect(allow("src/**", "SRC/a.ts")).toBe(false);
    expect(allow("src/**", "srcs/a.ts")).toBe(false);
    expect(allow("cafe\u0301/**", "caf\u00e9/x")).toBe(true);
  });

  it("protect even what is allowed", () => {
    expect(paths([file("src/a.ts")], { allowed: ["src/**"], protected: ["src/**"] })).toEqual([
      "src/a.ts",
    ]);
  });
});

describe("a glob", () => {
  it.each<[string, string, boolean]>([
    ["a/**/b", "a/b", true],
    ["a/**/b", "a/x/y/b", true],
    ["a/**", "a", true],
    ["a**b/c", "axxb/c", true],
    ["a/*", "a/.x", true],
    ["a/?", "a/é", true],
    ["a/?", "a/😀", true],
    ["a/[!b]", "a/c", true],
    ["a/[^b]", "a/b", false],
    ["a/[]]", "a/]", true],
    ["a/[x", "a/[x", true],
    ["a/\\*", "a/*", true],
    ["a/\\*", "a/b", false],
    ["a/{b,{c,d}e}", "a/de", true],
    ["a/{b", "a/{b", true],
    ["a/{b}", "a/{b}", true],
    ["a/{b,}c", "a/c", true],
    ["a.c/x", "abc/x", false],
    ["", "a", false],
  ])("%j on %j: %j", (glob, path, expected) => {
    expect(globMatcher(glob)(path)).toBe(expected);
  });

  it("takes no time, however files are named", { timeout: 5000 }, () => {
    expect(globMatcher("*a".repeat(140))(`${"a".repeat(255)}!`)).toBe(false);
    expect(globMatcher("**/a/".repeat(50))("a/".repeat(2000))).toBe(true);
    expect(globMatcher(`${"**/*a*a*a/".repeat(25)}b`)(`${"a".repeat(100)}/`.repeat(40))).toBe(
      false,
    );
  });
});
