import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadSkills } from "../../src/skills/load.ts";

const BUILT_IN = fileURLToPath(new URL("../../src/skills/", import.meta.url));

describe("a folder of skills", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "draftsmith-skills-"));
    await add("good", "---\nname: good\ndescription: Good. Use when tested.\n---\n\n# Do good\n");
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function add(folder: string, text: string | Buffer) {
    await mkdir(path.join(dir, folder), { recursive: true });
    await writeFile(path.join(dir, folder, "SKILL.md"), text);
  }

  const matter = (lines: string) => `---\n${lines}\n---\nbody\n`;

  it("gives name, description and body without front matter", async () => {
    await writeFile(path.join(dir, "README.md"), "not a skill");
    const { skills, problems } = await loadSkills(dir);
    expect(problems).toEqual([]);
    expect(skills).toMatchObject([
      { name: "good", description: "Good. Use when tested.", body: "# Do good" },
    ]);
  });

  it.each<[string, string]>([
    [
      "every field of the format",
      "name: x\ndescription: d\nlicense: MIT\ncompatibility: Requires git\nallowed-tools: Bash(git:*) Read\nmetadata:\n  author: me\n  version: '1.0'",
    ],
    ["allowed tools as a list", "name: x\ndescription: d\nallowed-tools: [Read, Edit]"],
    ["fields of other tools", "name: x\ndescription: d\nversion: 2\nmodel: [a, { b: c }]"],
    ["a number for a version", "name: x\ndescription: d\nmetadata:\n  version: 1.0"],
    ["deeper metadata", 'name: x\ndescription: d\nmetadata: {"a": {"b": ["c"]}}'],
    ["a list of licenses", "name: x\ndescription: d\nlicense:\n  - MIT\n  - Apache-2.0"],
    ["a map for a license", "name: x\ndescription: d\nlicense:\n  name: MIT"],
    ["fields without a value", "name: x\ndescription: d\nlicense:\nmetadata:\ncompatibility:"],
    ["no body", "name: x\ndescription: d\n---"],
    [
      "a long description over several lines",
      `name: x\ndescription: >-\n  ${"word ".repeat(204)}word`,
    ],
  ])("takes %s", async (_name, lines) => {
    await add("x", matter(lines));
    const { skills, problems } = await loadSkills(dir);
    expect(problems).toEqual([]);
    expect(skills.map((skill) => skill.name)).toEqual(["good", "x"]);
  });

  it("takes files from Windows", async () => {
    await add("x", "\uFEFF---\r\nname: x\r\ndescription: d\r\n---\r\nbody\r\n");
    expect((await loadSkills(dir)).skills.at(1)).toMatchObject({ name: "x", body: "body" });
  });

  it("takes files whose lines end as on an old Macintosh", async () => {
    await add("x", "---\rname: x\rdescription: d\rlicense: MIT\r---\rone\rtwo\r");
    const { skills, problems } = await loadSkills(dir);
    expect(problems).toEqual([]);
    expect(skills.at(1)).toMatchObject({ name: "x", license: "MIT", body: "one\ntwo" });
  });

  it.each<[string, string, string, RegExp]>([
    ["no front matter", "x", "# X\n", /must begin with front matter/],
    ["front matter that does not end", "x", "---\nname: x\n", /must begin with front matter/],
    [
      "front matter further down",
      "x",
      "\n---\nname: x\ndescription: d\n---\n",
      /must begin with front matter/,
    ],
    ["empty front matter", "x", "---\n---\n", /must begin with front matter|name/],
    [
      "a name that is not its folder's",
      "x",
      matter("name: y\ndescription: d"),
      /name is "y" and its folder "x"/,
    ],
    ["no name", "x", matter("description: d"), /name/],
    ["no description", "x", matter("name: x"), /description/],
    ["an empty description", "x", matter("name: x\ndescription: '  '"), /description/],
    [
      "a description that is too long",
      "x",
      matter(`name: x\ndescription: ${"d".repeat(1025)}`),
      /description/,
    ],
    ["capitals", "Xy", matter("name: Xy\ndescription: d"), /lower-case/],
    ["a hyphen in front", "-x", matter("name: -x\ndescription: d"), /lower-case/],
    ["a hyphen at the end", "x-", matter("name: x-\ndescription: d"), /lower-case/],
    ["two hyphens", "x--y", matter("name: x--y\ndescription: d"), /lower-case/],
    ["an underscore", "x_y", matter("name: x_y\ndescription: d"), /lower-case/],
    [
      "a name that is too long",
      "x".repeat(65),
      matter(`name: ${"x".repeat(65)}\ndescription: d`),
      /name/,
    ],
    [
      "a list for a compatibility",
      "x",
      matter("name: x\ndescription: d\ncompatibility: [git]"),
      /compatibility must be a text/,
    ],
    [
      "a long compatibility",
      "x",
      matter(`name: x\ndescription: d\ncompatibility: ${"c".repeat(501)}`),
      /compatibility/,
    ],
    [
      "a colon in plain text",
      "x",
      matter("name: x\ndescription: use: it"),
      /not valid YAML.*quotes/,
    ],
    ["an alias", "x", matter("name: x\ndescription: *a"), /aliases|alias/i],
    [
      "a huge file",
      "x",
      matter(`name: x\ndescription: d\n---\n${"x".repeat(10_000_000)}`),
      /has 100\d+ bytes, more than/,
    ],
  ])(
    "leaves out one with %s, tells why, and keeps the good one",
    async (_name, folder, text, message) => {
      await add(folder, text);
      const { skills, problems } = await loadSkills(dir);
      expect(skills.map((skill) => skill.name)).toEqual(["good"]);
      expect(problems).toEqual([
        {
          path: path.join(dir, folder, "SKILL.md"),
          line: expect.any(Number),
          message: expect.stringMatching(message),
        },
      ]);
    },
  );

  it("tells of a folder without SKILL.md and of a link out of the folder, and follows none", async () => {
    await mkdir(path.join(dir, "empty"));
    await symlink(BUILT_IN, path.join(dir, "linked"));
    await symlink("good", path.join(dir, "alias"));
    await symlink("missing", path.join(dir, "dangling"));
    const { skills, problems } = await loadSkills(dir);
    expect(skills.map((skill) => skill.name)).toEqual(["good"]);
    expect(problems).toEqual([
      { path: path.join(dir, "empty", "SKILL.md"), line: 1, message: "is missing" },
      {
        path: path.join(dir, "linked"),
        line: 1,
        message: expect.stringMatching(
          /symbolic link out of the folder.*put the folder in its place/,
        ),
      },
    ]);
  });
});
