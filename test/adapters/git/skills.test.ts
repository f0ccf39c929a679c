import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../../../src/core/errors.ts";
import type { SkillFile } from "../../../src/core/skill.ts";
import { foldersInGit } from "../../../src/skills/in-git.ts";
import { loadFolders } from "../../../src/skills/load.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { treeOf } from "../../support/tree-of.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

const ROOT = ".agents/skills";
const text = (name: string) => `---\nname: ${name}\ndescription: d\n---\nBody\n`;

test("skills are read from a commit: files, modes and links of a folder, and nothing beside it", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({
    [`${ROOT}/one/SKILL.md`]: text("one"),
    [`${ROOT}/one/scripts/run.sh`]: { executable: "#!/bin/sh\n" },
    [`${ROOT}/one/again.sh`]: { link: "scripts/run.sh" },
    [`${ROOT}/out/SKILL.md`]: text("out"),
    [`${ROOT}/out/secret`]: { link: "../../../.github/codex.yml" },
    [`${ROOT}/whole`]: { link: "one" },
    [`${ROOT}-not/two/SKILL.md`]: text("two"),
    ".claude/skills": { link: "../.agents/skills" },
    "README.md": "x\n",
  });
  await world.git.fetch(repo, [sha], world.token);
  const files = world.git.at(repo, sha);
  const { folders } = await foldersInGit(files, [ROOT]);
  const { skills, problems } = await loadFolders(folders);
  expect(skills.map(({ name }) => name)).toEqual(["one"]);
  expect(problems).toMatchObject([{ path: `${ROOT}/out/secret`, line: 1 }]);
  const bundled = (await skills[0]?.bundle())?.files ?? [];
  expect(bundled.map((file) => [file.path, file.mode])).toEqual([
    ["SKILL.md", "100644"],
    ["again.sh", "100755"],
    ["scripts/run.sh", "100755"],
  ]);
  const behind = await foldersInGit(files, [".claude/skills"]);
  expect(behind.folders.map(({ path: from }) => from)).toEqual([`${ROOT}/one`, `${ROOT}/out`]);
  expect(await foldersInGit(files, [".github/skills"])).toEqual({ folders: [], problems: [] });
  expect(await files.entries(ROOT, 2)).toBeNull();
  // Which git would take for more than a name.
  expect(await files.entry(":(glob)**")).toBeNull();
  expect(await files.entries(":(top)", 9)).toEqual([]);
});

test("a link in the place of a folder is the folder of the same commit, once, and others are told of", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({
    [`${ROOT}/one/SKILL.md`]: text("one"),
    [`${ROOT}/tool`]: { link: "../../skills/tool" },
    [`${ROOT}/gone`]: { link: "../../skills/gone" },
    [`${ROOT}/out`]: { link: "../../../etc" },
    [`${ROOT}/long`]: { link: "x/".repeat(2_000) },
    ".claude/skills/one": { link: "../../.agents/skills/one" },
    "skills/tool/SKILL.md": text("tool"),
    "skills/tool/run.sh": "x\n",
    ".codex/skills": { link: "../skills" },
    ".github/skills": { link: "../nowhere" },
  });
  await world.git.fetch(repo, [sha], world.token);
  const files = world.git.at(repo, sha);
  const { folders, problems } = await foldersInGit(files);
  const loaded = await loadFolders(folders);
  expect(loaded.skills.map(({ name, path: from }) => [name, from])).toEqual([
    ["one", `${ROOT}/one`],
    ["tool", "skills/tool"],
  ]);
  expect(loaded.problems).toEqual([]);
  expect(((await loaded.skills[1]?.bundle())?.files ?? []).map((file) => file.path)).toEqual([
    "SKILL.md",
    "run.sh",
  ]);
  const nowhere = "is a symbolic link that leads to no folder of this repository; mend it";
  expect(problems.map(({ path: at, message }) => [at, message]).sort()).toEqual([
    [`${ROOT}/gone`, nowhere],
    [`${ROOT}/long`, nowhere],
    [`${ROOT}/out`, "is a symbolic link that leads out of this repository; mend it"],
    [".github/skills", nowhere],
  ]);
});

test("skills stand in groups, behind links on the way, and circles are told", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({
    [`${ROOT}/office/pdf/SKILL.md`]: text("pdf"),
    [`${ROOT}/office/pdf/examples/inner/SKILL.md`]: "no skill of its own\n",
    [`${ROOT}/office/pdf/node_modules/x/y.js`]: "x\n",
    [`${ROOT}/office/tables/xlsx/SKILL.md`]: text("xlsx"),
    [`${ROOT}/office/LICENSE`]: { link: "../../../LICENSE" },
    [`${ROOT}/node_modules/dep/SKILL.md`]: text("dep"),
    [`${ROOT}/a/b/c/d/deep/SKILL.md`]: text("deep"),
    [`${ROOT}/a/b/c/d/e/deeper/SKILL.md`]: text("deeper"),
    [`${ROOT}/f/b/c/d/e/deepest/SKILL.md`]: text("deepest"),
    [`${ROOT}/shared`]: { link: "../../tools/skills" },
    [`${ROOT}/round`]: { link: ".." },
    [`${ROOT}/one-way`]: { link: "other-way" },
    [`${ROOT}/other-way`]: { link: "one-way" },
    LICENSE: "MIT\n",
    tools: { link: "vendor" },
    "vendor/skills/deploy/SKILL.md": text("deploy"),
    "vendor/skills/back": { link: "../../.agents/skills" },
    "vendor/skills/xlsx": { link: "../../.claude/skills/office/tables/xlsx" },
    ".claude": { link: ".agents" },
    ".codex/skills/office": { link: "../../.claude/skills/office" },
  });
  await world.git.fetch(repo, [sha], world.token);
  const { folders, problems } = await foldersInGit(world.git.at(repo, sha));
  const loaded = await loadFolders(folders);
  expect(loaded.skills.map(({ name, path: from }) => [name, from])).toEqual([
    ["deep", `${ROOT}/a/b/c/d/deep`],
    ["pdf", `${ROOT}/office/pdf`],
    ["xlsx", `${ROOT}/office/tables/xlsx`],
    ["deploy", "vendor/skills/deploy"],
  ]);
  const pdf = (await loaded.skills[1]?.bundle())?.files.map((file) => file.path);
  expect(pdf).toEqual(["SKILL.md", "examples/inner/SKILL.md", "node_modules/x/y.js"]);
  const told = [...problems, ...loaded.problems];
  expect(told.map(({ path: at, message }) => `${at} ${message}`).sort()).toEqual([
    `${ROOT}/a/b/c/d/e/deeper is not read: skills are looked for in at most five folders below one another; move it up`,
    `${ROOT}/f/SKILL.md is missing; skills are looked for in at most five folders below one another, so move those below this one up`,
    `${ROOT}/one-way is a symbolic link that leads in a circle; mend it`,
    `${ROOT}/other-way is a symbolic link that leads in a circle; mend it`,
    `${ROOT}/round is a symbolic link to a folder that it lies in itself; remove it`,
  ]);
});

test("of a root 1,000 skills, 50 links and 20,000 files are looked at, and the rest is told", async () => {
  const skills = Array.from({ length: 1_002 }, (_, at) => `s${String(at).padStart(4, "0")}`);
  const links = Array.from({ length: 51 }, (_, at) => `l${String(at).padStart(2, "0")}`);
  const crowd = Array.from({ length: 10_001 }, (_, at) => `many/x${at % 100}/f${at}`);
  const files = treeOf({
    ...Object.fromEntries(skills.map((name) => [`${ROOT}/${name}/SKILL.md`, text(name)])),
    ...Object.fromEntries(links.map((name) => [`.codex/skills/${name}`, { link: "../../tool" }])),
    ...Object.fromEntries(crowd.map((name) => [name, ""])),
    ...Object.fromEntries(crowd.map((name) => [`.github/skills/${name}`, ""])),
    ".claude/skills/a": { link: "../../many" },
    ".claude/skills/b": { link: "../../.github/skills/many" },
    "tool/SKILL.md": text("tool"),
  });
  const { folders, problems } = await foldersInGit(files);
  expect(folders.filter(({ path: from }) => from.startsWith(ROOT))).toHaveLength(1_000);
  expect(folders.filter(({ path: from }) => from === "tool")).toHaveLength(50);
  expect(problems.map(({ path: at, message }) => `${at} ${message}`)).toEqual([
    `${ROOT} holds 1002 folders, more than the 1000 whose skills are read; those after s0999 are read only where a task names them`,
    ".codex/skills holds more than 50 symbolic links; .codex/skills/l50 and others are not followed",
  ]);
  const named = await foldersInGit(files, [ROOT, ".codex/skills"], (name) =>
    ["s1001", "l50"].includes(name),
  );
  expect(named.folders.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["s0000", "s0999", "s1001", "l50"]),
  );
  expect(named.folders.map(({ name }) => name)).not.toContain("s1000");
  const crowded = treeOf(
    Object.fromEntries(Array.from({ length: 20_001 }, (_, at) => [`${ROOT}/x/f${at}`, ""])),
  );
  expect(await foldersInGit(crowded)).toEqual({
    folders: [],
    problems: [
      {
        path: ROOT,
        line: 1,
        message:
          "holds more than the 20000 files that are listed of a root, and again of what its links lead to; none of its skills is read, so keep fewer there",
      },
    ],
  });
});

test("of a root 32 MB of SKILL.md are read, and those that a task names", async () => {
  const big = "x".repeat(1_000_000);
  const names = Array.from({ length: 40 }, (_, at) => `s${10 + at}`);
  const files = treeOf(
    Object.fromEntries(names.map((name) => [`${ROOT}/${name}/SKILL.md`, text(name) + big])),
  );
  const { folders, problems } = await foldersInGit(files, [ROOT], (name) => name === "s49");
  expect(folders.map(({ name }) => name)).toEqual([...names.slice(0, 33), "s49"]);
  expect(problems).toMatchObject([
    {
      path: ROOT,
      message:
        "holds 40 folders, with more than the 33554432 bytes of SKILL.md that are read; those after s42 are read only where a task names them",
    },
  ]);
});

test("a submodule in the place of a skill, of a root or behind a link is told", async () => {
  const { repo, remote } = world.repository();
  const first = remote.commit({
    [`${ROOT}/one/SKILL.md`]: text("one"),
    [`${ROOT}/by-link`]: { link: "../../vendor/kit" },
    ".claude": { link: "vendor" },
  });
  const run = (args: string[]) =>
    execFileSync("git", args, {
      cwd: remote.bare,
      env: { ...process.env, GIT_INDEX_FILE: path.join(remote.bare, "odd-index") },
    })
      .toString()
      .trim();
  run(["read-tree", first]);
  for (const at of [`${ROOT}/two`, `${ROOT}/group/three`, "vendor", ".github/skills"])
    run(["update-index", "--add", "--cacheinfo", `160000,${first},${at}`]);
  const person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  const sha = run([...person, "commit-tree", run(["write-tree"]), "-p", first, "-m", "modules"]);
  run(["update-ref", "refs/heads/modules", sha]);
  await world.git.fetch(repo, [sha], world.token);
  const { folders, problems } = await foldersInGit(world.git.at(repo, sha));
  expect(folders.map(({ name }) => name)).toEqual(["one"]);
  const rest = ", whose files are no part of this repository; put the folder itself in its place";
  expect(problems.map(({ path: at, message }) => `${at} ${message}`).sort()).toEqual([
    `${ROOT}/by-link leads to the submodule vendor${rest}`,
    `${ROOT}/group/three is a submodule${rest}`,
    `${ROOT}/two is a submodule${rest}`,
    `.claude/skills leads to the submodule vendor${rest}`,
    `.github/skills is a submodule${rest}`,
  ]);
});

test("names that are no UTF-8 are told of, not mounted as one another", async () => {
  const { repo, remote } = world.repository();
  remote.commit({ "a.txt": "a\n" });
  const blob = (content: string) =>
    execFileSync("git", ["hash-object", "-w", "--stdin"], { cwd: remote.bare, input: content })
      .toString()
      .trim();
  const tree = (lines: (string | Buffer)[][]) =>
    execFileSync("git", ["mktree", "-z"], {
      cwd: remote.bare,
      input: Buffer.concat(lines.flat().map((part) => Buffer.from(part))),
    })
      .toString()
      .trim();
  const skill = tree([
    [`100644 blob ${blob(text("one"))}\tSKILL.md\0`],
    [`100644 blob ${blob("1")}\ta`, Buffer.from([0xff]), "\0"],
    [`100644 blob ${blob("2")}\ta`, Buffer.from([0xfe]), "\0"],
  ]);
  const root = ["one", "skills", ".agents"].reduce(
    (below, name) => tree([[`040000 tree ${below}\t${name}\0`]]),
    skill,
  );
  const person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  const sha = execFileSync("git", [...person, "commit-tree", root, "-m", "odd"], {
    cwd: remote.bare,
  })
    .toString()
    .trim();
  execFileSync("git", ["update-ref", "refs/heads/odd", sha], { cwd: remote.bare });
  await world.git.fetch(repo, [sha], world.token);
  const { folders } = await foldersInGit(world.git.at(repo, sha));
  const { skills, problems } = await loadFolders(folders);
  expect(skills).toEqual([]);
  expect(problems.map(({ message }) => message)).toEqual(
    Array(2).fill("has a name that is no UTF-8 text; rename it"),
  );
});

test("a skill stands where commands read it and cannot change it, one in place of another", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a\n" });
  await world.git.fetch(repo, [sha], world.token);
  const workspace = await world.open(repo, sha, "job-with-skill");
  const file = (at: string, content: string, mode: SkillFile["mode"] = "100644"): SkillFile => ({
    path: at,
    mode,
    bytes: Buffer.from(content),
  });
  await world.git.mount("job-with-skill", "one", [file("SKILL.md", "old"), file("gone.md", "x")]);
  const files = [file("SKILL.md", "new"), file("scripts/run.sh", "echo ran", "100755")];
  await world.git.mount("job-with-skill", "one", files);
  const ran = await world.agent(
    workspace,
    "ls ../skills/one; cat ../skills/one/SKILL.md; echo; ../skills/one/scripts/run.sh; echo evil >../skills/one/SKILL.md; rm -rf ../skills/one; mv ../skills ../other; test -x ../skills/one/SKILL.md && echo executable; cat ../skills/one/SKILL.md",
  );
  expect(ran.output).toMatch(/^SKILL\.md\nscripts\nnew\nran\n/);
  expect(ran.output).toMatch(/new$/);
  expect(ran.output).not.toContain("executable");
  const shelf = path.join(path.dirname(workspace.tree), "skills");
  expect(readFileSync(path.join(shelf, "one/SKILL.md"), "utf8")).toBe("new");
  expect(statSync(path.join(shelf, "one/SKILL.md")).mode & 0o777).toBe(0o644);
  await world.git.close("job-with-skill", repo);
  expect(() => statSync(shelf)).toThrow(/ENOENT/);
});

test("a path that is longer than the system takes ends with the skill's name and the path", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a\n" });
  await world.git.fetch(repo, [sha], world.token);
  await world.open(repo, sha, "job-with-long-skill");
  for (const at of [`${"d".repeat(200)}/`.repeat(20), `${"n".repeat(300)}/`]) {
    const file = { path: `${at}end.md`, mode: "100644" as const, bytes: Buffer.from("x") };
    const mounted = world.git.mount("job-with-long-skill", "long", [file]);
    await expect(mounted).rejects.toThrow(UserError);
    await expect(mounted).rejects.toThrow(
      /^the skill `long` has a path that is longer than this system takes, `[dn]{50}.*; shorten/,
    );
  }
  await world.git.close("job-with-long-skill", repo);
});

test("nothing is written outside its folder, whatever paths are given", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a\n" });
  await world.git.fetch(repo, [sha], world.token);
  const workspace = await world.open(repo, sha, "job-with-odd-skill");
  const shelf = path.join(path.dirname(workspace.tree), "skills");
  const mount = (name: string, at: string) =>
    world.git.mount("job-with-odd-skill", name, [
      { path: at, mode: "100644", bytes: Buffer.from("x") },
    ]);
  for (const at of ["../x", "a/../../x", "/x", "a//b", "", "a\0b"]) {
    await expect(mount("odd", at)).rejects.toThrow(/not a path in a skill/);
  }
  for (const name of ["..", ".", "", "a/b"]) {
    await expect(mount(name, "x")).rejects.toThrow(/not the name of a skill/);
  }
  // A link in the place of a skill is replaced, not followed.
  const outside = path.join(path.dirname(shelf), "outside");
  mkdirSync(outside);
  writeFileSync(path.join(outside, "kept"), "kept");
  symlinkSync(outside, path.join(shelf, "odd"));
  await mount("odd", "x");
  expect(readFileSync(path.join(outside, "kept"), "utf8")).toBe("kept");
  expect(readFileSync(path.join(shelf, "odd/x"), "utf8")).toBe("x");
  await world.git.close("job-with-odd-skill", repo);
});
