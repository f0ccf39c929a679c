import { describe, expect, it } from "vitest";
import { globMatcher } from "../../src/core/glob.ts";
import { sortPaths } from "../../src/core/paths.ts";
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
    leadsTo: null,
    ...changes,
  };
}

const open: RepoConfig["paths"] = { allowed: ["**"], protected: [], shown_first: [], free: [] };
const paths = (files: ChangedFile[], config: Partial<RepoConfig["paths"]> = {}) =>
  sortPaths(files, { ...open, ...config }).violations.map((found) => found.path);
const shown = (files: ChangedFile[], config: Partial<RepoConfig["paths"]> = {}) =>
  sortPaths(files, { ...open, ...config }).shown.map(({ file, topic, why }) => ({
    path: file.path,
    topic,
    why: why.join("; "),
  }));

describe("what the commands of the configuration name", () => {
  it.each(["test.sh", "scripts/Check.sh", "tools/prepare.mjs"])("%s is shown first", (path) => {
    const commands = ["node ./tools/prepare.mjs", "sh test.sh && scripts/check.sh --all"];
    const { shown: found } = sortPaths([file(path), file("src/a.ts")], open, commands);
    expect(found.map(({ file: { path: name }, why }) => [name, why.join()])).toEqual([
      [path, expect.stringMatching(/^".*" in \.github\/codex\.yml names it$/)],
    ]);
  });

  it("stays free where the repository says so", () => {
    const free = { ...open, free: ["*.sh"] };
    expect(sortPaths([file("test.sh")], free, ["sh test.sh"]).shown).toEqual([]);
  });
});

it("a job that may change nothing changes nothing, and is told why", () => {
  const files = [file("none"), file("src/none/a.ts"), file("README.md", { status: "deleted" })];
  const { violations } = sortPaths(files, { ...open, within: [[]] });
  expect(violations.map((found) => found.path)).toEqual(["none", "src/none/a.ts", "README.md"]);
  for (const { reason } of violations) expect(reason).toMatch(/draftsmith-writes: none/);
});

it("a job by a skill changes what both its skill and the repository name, and nothing else", () => {
  const files = [file("docs/a.md"), file("lib/docs/evil.txt"), file("docs/a.txt"), file("a.md")];
  const paths = { ...open, allowed: ["docs/**"], within: [["docs/", "*.md"], ["*.md"]] };
  const { violations } = sortPaths(files, paths);
  expect(violations.map(({ path, reason }) => [path, reason])).toEqual([
    ["lib/docs/evil.txt", "not among the allowed paths of .github/codex.yml"],
    ["docs/a.txt", "not among the paths that the skill of this job names in draftsmith-writes"],
    ["a.md", "not among the allowed paths of .github/codex.yml"],
  ]);
});

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
    ["an NTFS stream", ".github/workflows/ci.yml::$DATA"],
    ["an NTFS stream of a folder", ".github::$INDEX_ALLOCATION/workflows/ci.yml"],
    ["the short names of Windows", "GITHUB~1/WORKFL~1/ci.yml"],
    ["an action of this repository", ".github/actions/build/action.yml"],
    ["owners in the root", "CODEOWNERS"],
    ["owners of GitHub", ".github/CodeOwners"],
    ["owners among the docs", "docs/CODEOWNERS"],
    ["git hooks", ".husky/pre-commit"],
    ["git hooks of a package", "packages/a/.husky/_/husky.sh"],
    ["git hooks by another name", ".githooks/post-checkout"],
    ["submodules", ".gitmodules"],
    ["settings of git", ".gitconfig"],
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
      "src/CODEOWNERS",
      "docs/CODEOWNERS.md",
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
    const found = sortPaths(
      [
        file(".github/workflows/ci.yml"),
        file("lib", { newMode: "160000" }),
        file("a.lock"),
        file("b.txt"),
      ],
      { ...open, allowed: ["src/**", "*.lock"], protected: ["*.lock"] },
    ).violations;
    expect(found).toEqual(
      [
        { path: ".github/workflows/ci.yml", reason: expect.stringContaining("secrets") },
        { path: "lib", reason: expect.stringContaining("submodule") },
        { path: "a.lock", reason: 'protected by "*.lock" in .github/codex.yml' },
        { path: "b.txt", reason: "not among the allowed paths of .github/codex.yml" },
      ].map((each) => ({ kind: "path", ...each })),
    );
  });
});

describe("a symbolic link counts as the place it leads to", () => {
  const link = (path: string, leadsTo: string | null) =>
    file(path, { status: "added", oldMode: "000000", newMode: "120000", leadsTo });

  it.each([
    ["into the workflows", "docs/x", ".github/workflows"],
    ["to one workflow", "x", ".github/workflows/ci.yml"],
    ["to the folder that holds them", "x", ".github"],
    ["in other capitals", "x", ".GITHUB/Workflows"],
    ["to the root of the repository", "x", ""],
    ["to our configuration", "a/b", ".github/codex.yml"],
    ["to git hooks", "hooks", "tools/.husky"],
    ["that leads nowhere", "x", null],
  ])("%s", (_name, path, leadsTo) => {
    expect(paths([link(path, leadsTo)])).toEqual([path]);
  });

  it("and to what the repository protects, or in place of it", () => {
    const config = { protected: ["infra/prod/**", "*.pem"] };
    expect(paths([link("x", "infra/prod")], config)).toEqual(["x"]);
    expect(paths([link("x", "infra")], config)).toEqual(["x"]);
    expect(paths([link("infra", "other")], config)).toEqual(["infra"]);
    expect(paths([link("x", "certs/a.pem")], config)).toEqual(["x"]);
    expect(paths([link("x", "certs")], config)).toEqual([]);
    expect(paths([link("x", "infra/stage")], config)).toEqual([]);
  });

  it("any other may be made, and is shown", () => {
    expect(paths([link("site/docs", "docs"), link("a/b", "src")])).toEqual([]);
    expect(shown([link("a/b", "src")])).toEqual([
      { path: "a/b", topic: "other", why: 'a symbolic link to "src"' },
    ]);
  });
});

describe("what a pull request opens with", () => {
  it.each([
    ["manifest", "package.json"],
    ["manifest", "packages/a/Cargo.toml"],
    ["manifest", "requirements-dev.txt"],
    ["manifest", "App.csproj"],
    ["manifest", "build.rs"],
    ["manifest", "setup.py"],
    ["lock", "package-lock.json"],
    ["lock", "a/b/go.sum"],
    ["agents", "AGENTS.md"],
    ["agents", "src/agents.MD"],
    ["agents", ".github/copilot-instructions.md"],
    ["agents", "a/.cursor/rules/x.mdc"],
    ["agents", ".claude/settings.json"],
    ["agents", ".agents/skills/x/run.sh"],
    ["agents", "tools/x/SKILL.md"],
    ["agents", ".mcp.json"],
    ["agents", "docs/fix.prompt.md"],
    ["other", "Makefile"],
    ["other", "docker/Dockerfile.dev"],
    ["other", ".vscode/tasks.json"],
    ["other", "web/.idea/workspace.xml"],
    ["other", ".devcontainer/devcontainer.json"],
    ["other", ".envrc"],
    ["other", ".npmrc"],
    ["other", ".yarnrc.yml"],
    ["other", ".pnpmfile.cjs"],
    ["other", "tests/conftest.py"],
    ["other", "gradle/wrapper/gradle-wrapper.properties"],
    ["other", "gradlew"],
    ["other", "vite.config.mts"],
    ["other", ".eslintrc.cjs"],
    ["other", ".gitlab-ci.yml"],
    ["other", "Jenkinsfile"],
    ["other", "action.yml"],
    ["other", ".gitattributes"],
    ["other", ".github/dependabot.yml"],
    ["other", ".circleci/config.yml"],
    ["other", ".unheard-of/x"],
    ["other", "lefthook.yml"],
    ["other", ".pre-commit-config.yaml"],
  ])("%s: %s", (topic, path) => {
    expect(paths([file(path)])).toEqual([]);
    expect(shown([file(path)])).toEqual([{ path, topic, why: expect.stringMatching(/\w/) }]);
  });

  it.each([
    "src/a.ts",
    "README.md",
    ".gitignore",
    "docs/agents/how.md",
    "src/packages.ts",
    "test/a.test.ts",
    "src/config.ts",
    "src/src.js",
    "a/.unheard-of/x",
  ])("not %s", (path) => {
    expect(shown([file(path)])).toEqual([]);
  });

  it("a file that becomes executable, or comes so", () => {
    const made = file("run", { newMode: "100755", added: 0 });
    const comes = file("go", { status: "added", oldMode: "000000", newMode: "100755" });
    expect(shown([made, comes]).map(({ why }) => why)).toEqual([
      "it became executable",
      "a new executable file",
    ]);
    expect(shown([file("run", { oldMode: "100755", newMode: "100755" })])).toEqual([]);
    expect(shown([file("run", { oldMode: "100755" })])).toEqual([]);
  });

  it("what the repository adds and not what it frees, whichever case", () => {
    const config = { shown_first: ["db/Migrations/**"], free: ["package-lock.json", ".vscode/**"] };
    expect(shown([file("DB/migrations/1.sql")], config)).toEqual([
      expect.objectContaining({ why: 'shown first by "db/Migrations/**" in .github/codex.yml' }),
    ]);
    expect(shown([file("a/package-lock.json"), file(".vscode/tasks.json")], config)).toEqual([]);
    expect(shown([file("Package-Lock.json")], config)).toHaveLength(1);
    expect(shown([file("a.lock")], { shown_first: ["*.lock"], free: ["**"] })).toHaveLength(1);
  });

  it("but nothing frees what no job may change", () => {
    expect(paths([file(".husky/pre-commit")], { free: ["**"], allowed: ["**"] })).toHaveLength(1);
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
    ["/package.json", "packages/a/package.json"],
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
