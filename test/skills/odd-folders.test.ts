import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { joinSources } from "../../src/skills/catalogue.ts";
import type { FolderEntry } from "../../src/skills/folder.ts";
import { lintSkills, listSkills } from "../../src/skills/lint.ts";
import { loadFolder, loadSkills } from "../../src/skills/load.ts";
import { folderOnDisk } from "../../src/skills/on-disk.ts";
import { serverSkills } from "../../src/skills/server-skills.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "draftsmith-skills-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function put(file: string, text: string | Buffer = "x\n") {
  await mkdir(path.dirname(path.join(dir, file)), { recursive: true });
  await writeFile(path.join(dir, file), text);
}
const skill = (name: string, more = "") =>
  put(
    `${name}/SKILL.md`,
    `---\nname: ${name}\ndescription: What ${name} does.\n${more}---\nBody.\n`,
  );
const messages = async () => (await loadSkills(dir)).problems.map(({ message }) => message);

describe("names follow the specification and its reference implementation", () => {
  it.each(["技能", "мой-навык", "a", "x1-2", "1", `${"ab-".repeat(21)}a`])(
    "%s is one",
    async (name) => {
      await skill(name);
      expect((await loadSkills(dir)).skills.map((each) => each.name)).toEqual([name]);
    },
  );

  it.each(["НАВЫК", "a b", "a.b", "a_b", "ａ b"])("%s is none", async (name) => {
    await put(`${name}/SKILL.md`, `---\nname: ${JSON.stringify(name)}\ndescription: d\n---\n`);
    expect((await messages()).join()).toMatch(
      /name must be lower-case letters, digits and hyphens/,
    );
  });

  it("every mistake of a file is told with its line", async () => {
    await put(
      "x/SKILL.md",
      `---\nname: X--\n# why\ncompatibility: ""\ndescription: ${"d".repeat(1025)}\n---\n`,
    );
    const { problems } = await loadSkills(dir);
    expect(problems.map(({ line, message }) => `${line}: ${message.split(" ")[0]}`)).toEqual([
      "2: name",
      "2: name",
      "2: name",
      "4: compatibility",
      "5: description",
    ]);
  });

  it.each(["review\u1160", "review\u3164", "re\u115fview", "review\u034f"])(
    "%j looks like another and is refused",
    async (name) => {
      await put(`${name}/SKILL.md`, `---\nname: ${JSON.stringify(name)}\ndescription: d\n---\n`);
      expect((await messages()).join()).toMatch(/name holds characters that people cannot see/);
      expect((await loadSkills(dir)).skills).toEqual([]);
    },
  );

  it("lengths are counted in characters, not in their halves", async () => {
    await put("x/SKILL.md", `---\nname: x\ndescription: ${"😀".repeat(1024)}\n---\n`);
    expect(await messages()).toEqual([]);
  });
});

describe("a bundle", () => {
  it("is pinned by all its files, their modes and their places, and by nothing else", async () => {
    const digest = async () => {
      const [only] = (await loadSkills(dir)).skills;
      return (await only?.bundle())?.digest ?? "none";
    };
    await skill("x");
    const seen = [await digest()];
    await put("x/scripts/run.sh", "echo hi\n");
    seen.push(await digest());
    await chmod(path.join(dir, "x/scripts/run.sh"), 0o755);
    seen.push(await digest());
    await put("x/references/a.md", "a");
    seen.push(await digest());
    await rm(path.join(dir, "x/references"), { recursive: true });
    await put("x/references/b.md", "a");
    seen.push(await digest());
    expect(new Set(seen).size).toBe(seen.length);
    await mkdir(path.join(dir, "x/empty"));
    await chmod(path.join(dir, "x/SKILL.md"), 0o600);
    expect(await digest()).toBe(seen.at(-1));
    expect(seen[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("holds what a link in it leads to, and no link leads out of it", async () => {
    await skill("inside");
    await put("inside/references/real.md", "real");
    await symlink("references/real.md", path.join(dir, "inside/link.md"));
    for (const [name, target] of [
      ["absolute", "/etc/passwd"],
      ["above", "../../inside/SKILL.md"],
      ["nowhere", "missing"],
      ["circle", "bad"],
    ] as const) {
      await skill(name);
      await symlink(target, path.join(dir, name, "bad"));
    }
    await mkdir(path.join(dir, "main"));
    await symlink("../inside/SKILL.md", path.join(dir, "main/SKILL.md"));
    const { skills, problems } = await loadSkills(dir);
    expect(skills.map(({ name }) => name)).toEqual(["inside"]);
    const files = (await skills[0]?.bundle())?.files ?? [];
    expect(files.map((file) => [file.path, Buffer.from(file.bytes).toString()])).toContainEqual([
      "link.md",
      "real",
    ]);
    expect(problems.map((each) => path.relative(dir, each.path))).toEqual([
      "above/bad",
      "absolute/bad",
      "circle/bad",
      "main/SKILL.md",
      "nowhere/bad",
    ]);
    for (const { message } of problems) expect(message).toMatch(/leads to no file of this skill/);
  });

  it("may not be endless", async () => {
    await skill("many");
    await Promise.all(Array.from({ length: 2001 }, (_, at) => put(`many/assets/${at}`, "")));
    await put("fat/SKILL.md", Buffer.alloc(10_000_000, "x"));
    await skill("good");
    const { skills, problems } = await loadSkills(dir);
    expect(skills.map(({ name }) => name)).toEqual(["good"]);
    expect(
      problems.map(({ path: at, message }) => `${path.relative(dir, at)}: ${message}`),
    ).toEqual([
      expect.stringMatching(/^fat\/SKILL\.md: has 10000000 bytes/),
      expect.stringMatching(/^many: holds more than 2000 files/),
    ]);
  });
});

describe("links", () => {
  it("count as often as they stand there, and each file is read once", async () => {
    await skill("bomb");
    await put("bomb/big", Buffer.alloc(2_000_000));
    for (let at = 0; at < 30; at += 1) await symlink("big", path.join(dir, `bomb/l${at}`));
    const whole = await folderOnDisk(path.join(dir, "bomb"));
    const read: string[] = [];
    const folder = {
      ...whole,
      read: (entry: FolderEntry) => {
        read.push(entry.path);
        return whole.read(entry);
      },
    };
    const loaded = await loadFolder(folder);
    if (Array.isArray(loaded)) throw new Error("it is sound");
    const { files } = await loaded.bundle();
    expect(files.filter(({ bytes }) => bytes.byteLength === 2_000_000)).toHaveLength(31);
    expect(read.filter((name) => name === "big")).toEqual(["big"]);
    expect(read.filter((name) => name.startsWith("l"))).toHaveLength(30);
    await put("bomb/big", Buffer.alloc(3_000_000));
    expect(await messages()).toEqual([
      expect.stringMatching(/^has 930\d+ bytes with what its links/),
    ]);
  });

  it("that make chains are read once each, and there may not be many", async () => {
    await skill("x");
    await put("x/end");
    await symlink("end", path.join(dir, "x/l0"));
    for (let at = 1; at < 50; at += 1)
      await symlink(at % 8 === 0 ? "end" : `l${at - 1}`, path.join(dir, `x/l${at}`));
    const folder = await folderOnDisk(path.join(dir, "x"));
    let reads = 0;
    const counted = {
      ...folder,
      read: (entry: FolderEntry) => {
        reads += 1;
        return folder.read(entry);
      },
    };
    const loaded = await loadFolder(counted);
    if (Array.isArray(loaded)) throw new Error("it is sound");
    expect((await loaded.bundle()).files).toHaveLength(52);
    // 50 links and SKILL.md to load it, SKILL.md and the file to bundle it.
    expect(reads).toBe(53);
    await symlink("end", path.join(dir, "x/more"));
    expect(await messages()).toEqual([
      expect.stringMatching(/^holds 51 symbolic links, more than 50/),
    ]);
  });

  it("may stand for SKILL.md itself", async () => {
    await put("x/docs/main.md", "---\nname: x\ndescription: d\n---\nBody.\n");
    await symlink("docs/main.md", path.join(dir, "x/SKILL.md"));
    const { skills, problems } = await loadSkills(dir);
    expect(problems).toEqual([]);
    expect(skills).toMatchObject([{ name: "x", body: "Body." }]);
    const files = (await skills[0]?.bundle())?.files ?? [];
    expect(files.map((file) => [file.path, Buffer.from(file.bytes).toString()])).toContainEqual([
      "SKILL.md",
      "---\nname: x\ndescription: d\n---\nBody.\n",
    ]);
  });
});

describe("a folder that is edited while the server runs", () => {
  it("is refused rather than pinned as what the model was not told", async () => {
    await skill("x");
    await put("x/a.md", "old");
    const [only] = (await loadSkills(dir)).skills;
    // Beside its text it is what it is when it is taken up: the digest covers that.
    await put("x/a.md", "new");
    const files = (await only?.bundle())?.files ?? [];
    expect(files.map(({ bytes }) => Buffer.from(bytes).toString())).toContain("new");
    await put("x/SKILL.md", "---\nname: x\ndescription: d\n---\nDo something else.\n");
    await expect(only?.bundle()).rejects.toThrow(UserError);
    await expect(only?.bundle()).rejects.toThrow(
      /the skill `x` is another .*start the server again/,
    );
    await rm(path.join(dir, "x"), { recursive: true });
    await expect(only?.bundle()).rejects.toThrow(UserError);
  });
});

describe("hostile text", () => {
  it("a YAML bomb costs nothing", async () => {
    const lines = ["a: &a [x, x]"];
    for (let at = 1; at < 40; at += 1)
      lines.push(`a${at}: &b${at} [*${at === 1 ? "a" : `b${at - 1}`}, *a]`);
    await put("x/SKILL.md", `---\nname: x\ndescription: d\n${lines.join("\n")}\n---\n`);
    await put("y/SKILL.md", `---\nname: y\ndescription: ${"[".repeat(30_000)}\n---\n`);
    const found = await messages();
    expect(found.some((message) => /anchors/.test(message))).toBe(true);
    expect((await loadSkills(dir)).skills).toEqual([]);
  });

  it("what people cannot see is taken out, and said", async () => {
    await put(
      "x/SKILL.md",
      "---\nname: x\ndescription: Good\u200b\u202e skill\n---\nDo\u{e0041}\u{e0042} this.\u200b\n",
    );
    const [only] = (await loadSkills(dir)).skills;
    expect(only).toMatchObject({ description: "Good skill", body: "Do this." });
    expect(only?.stripped.join()).toMatch(/zero-width.*tag character/);
    expect((await lintSkills(dir)).lines.join()).toMatch(/SKILL\.md:1: note: .*2 tag characters/);
  });

  it("no UTF-8 is told", async () => {
    await put("x/SKILL.md", Buffer.from([0x2d, 0x2d, 0x2d, 0xff]));
    expect(await messages()).toEqual(["is no UTF-8 text; save it as UTF-8"]);
  });
});

/** Runs as somebody whom modes of files bind, which root is not. */
async function asNobody<T>(run: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return run();
  process.seteuid?.(65534);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}

describe("a folder of SKILLS_DIR that the server may not read", () => {
  afterEach(async () => {
    for (const name of ["closed", "group/closed", "half/assets"])
      await chmod(path.join(dir, name), 0o755).catch(() => null);
  });

  it("is told with the remedy, and hides no other, at any depth", async () => {
    await skill("good");
    await skill("closed");
    await skill("half");
    await put("half/assets/logo.svg");
    for (const name of ["closed", "open"])
      await put(`group/${name}/SKILL.md`, `---\nname: ${name}\ndescription: d\n---\n`);
    await chmod(dir, 0o755);
    for (const name of ["closed", "group/closed", "half/assets"])
      await chmod(path.join(dir, name), 0);
    const { skills, problems } = await asNobody(() => loadSkills(dir));
    expect(skills.map(({ name }) => name)).toEqual(["good", "open"]);
    expect(problems.map((each) => path.relative(dir, each.path))).toEqual([
      "closed",
      "group/closed",
      "half",
    ]);
    for (const { message } of problems)
      expect(message).toMatch(/^cannot be read: EACCES.*; let the server's user read the folder$/);
    const lines = listSkills(await asNobody(() => serverSkills(dir, path.join(dir, "group"))));
    expect(lines.filter((line) => !line.includes("EACCES"))).toEqual([
      "good (built-in): What good does.",
      "open (operator, in place of built-in): d",
    ]);
  });
});

describe("names that are no UTF-8", () => {
  const odd = (at: string) =>
    Buffer.concat([Buffer.from(`${path.join(dir, at)}/`), Buffer.from([0xff])]);
  const text = (name: string) => `---\nname: ${name}\ndescription: d\n---\n`;

  it("are told in SKILLS_DIR, and hide no skill beside them", async () => {
    for (const name of ["solo", "vendor/good", "vendor/bad"])
      await put(`${name}/SKILL.md`, text(path.basename(name)));
    await put("plain/notes.md");
    for (const at of ["vendor/bad", "plain"]) await writeFile(odd(at), "x");
    for (const at of ["vendor", ""]) await mkdir(odd(at));
    const { skills, problems } = await loadSkills(dir);
    expect(skills.map(({ name }) => name)).toEqual(["solo", "good"]);
    const told = problems.map((each) => `${path.relative(dir, each.path)} ${each.message}`);
    expect(told).toEqual([
      "plain/SKILL.md is missing",
      "vendor/bad/\uFFFD has a name that is no UTF-8 text; rename it",
      "vendor/\uFFFD cannot be read: its name is no UTF-8 text; rename it",
      "\uFFFD cannot be read: its name is no UTF-8 text; rename it",
    ]);
  });

  it("never make lint green, or blind for what stands beside them", async () => {
    await put(".agents/skills/good/SKILL.md", text("good"));
    await put(".agents/skills/broken/SKILL.md", "no front matter\n");
    await put(".agents/skills/bad/SKILL.md", text("bad"));
    await put(".claude/skills/other/SKILL.md", text("other"));
    await put("skills/plain/SKILL.md", text("plain"));
    for (const at of [".agents/skills/bad", "skills/plain"]) await writeFile(odd(at), "x");
    await mkdir(odd(".claude/skills"));
    const { ok, good, lines } = await lintSkills(dir);
    expect({ ok, good }).toEqual({ ok: false, good: 2 });
    const rest = "has a name that is no UTF-8 text; rename it";
    expect(lines.map((line) => path.relative(dir, line)).sort()).toEqual([
      `.agents/skills/bad/\uFFFD:1: ${rest}`,
      expect.stringMatching(/^\.agents\/skills\/broken\/SKILL\.md:1: must begin with front matter/),
      `.claude/skills/\uFFFD:1: ${rest}`,
      `skills/plain/\uFFFD:1: ${rest}`,
    ]);
  });
});

describe("depth", () => {
  it("counts from SKILLS_DIR to the skill, not below it", async () => {
    await skill("good");
    await put(`good/${"d/".repeat(60)}end.md`);
    await put("group/one/SKILL.md", "---\nname: one\ndescription: d\n---\n");
    await put("group/b/c/d/e/deep/SKILL.md", "---\nname: deep\ndescription: d\n---\n");
    const { skills, problems } = await loadSkills(dir);
    expect(skills.map(({ name }) => name)).toEqual(["good", "one"]);
    expect(await skills[0]?.bundle()).toMatchObject({
      files: expect.objectContaining({ length: 2 }),
    });
    const message =
      "is not read: skills are looked for in at most five folders below one another; move it up";
    expect(problems).toEqual([{ path: path.join(dir, "group/b/c/d/e/deep"), line: 1, message }]);
  });
});

describe("what lint and list print", () => {
  const evil = "x\n::error file=README.md::pwned\n\u001b[2J\u202e";

  it("is one line each without signs that nobody sees, and no command to a runner", async () => {
    await skill("good");
    await put(
      "keys/SKILL.md",
      `---\nname: keys\ndescription: d\nmetadata:\n  "draftsmith-\\n::add-mask::x": y\n---\n`,
    );
    await put("name/SKILL.md", `---\nname: "##[add-mask]\\u202e"\ndescription: d\n---\n`);
    await put("yaml/SKILL.md", "---\nname: [\u001b]\u0007\r::error::a\n---\n");
    await put(`${evil}/SKILL.md`, "# none\n");
    await skill("linked");
    await symlink("missing", path.join(dir, "linked", evil));
    const { lines } = await lintSkills(dir);
    const listed = listSkills(
      joinSources([{ source: "operator", commit: null, ...(await loadSkills(dir)) }]),
    );
    expect(lines.length).toBeGreaterThan(5);
    for (const line of [...lines, ...listed]) {
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]|^\s*::|##\[/u);
    }
    expect(lines.join("\n")).toContain(
      "linked/x\\u{a}::error file=README.md::pwned\\u{a}\\u{1b}[2J\\u{202e}:1: ",
    );
    expect(lines.join("\n")).toContain("#\\u{23}[add-mask]");
  });

  it("does not begin with a command where a path is relative to where it runs", () => {
    const problems = [{ path: "::error file=x::y", line: 1, message: "is missing" }];
    expect(listSkills({ skills: [], problems })).toEqual(["\\u{3a}:error file=x::y:1: is missing"]);
  });
});

describe("linting and listing", () => {
  it("tells of submodules, fetched or not, as a server does that reads the commit", async () => {
    const text = (name: string) => `---\nname: ${name}\ndescription: d\n---\n`;
    await put(".agents/skills/good/SKILL.md", text("good"));
    await put(".agents/skills/fetched/SKILL.md", text("fetched"));
    await mkdir(path.join(dir, ".agents/skills/empty"));
    await put(
      ".gitmodules",
      ["fetched", "empty"]
        .map((name) => `[submodule "${name}"]\n\tpath = .agents/skills/${name}\n\turl = ../x\n`)
        .join(""),
    );
    const { ok, good, lines } = await lintSkills(dir);
    expect({ ok, good }).toEqual({ ok: false, good: 1 });
    expect(lines.map((line) => path.relative(dir, line)).sort()).toEqual([
      expect.stringMatching(/^\.agents\/skills\/empty:1: is a submodule, whose files/),
      expect.stringMatching(/^\.agents\/skills\/fetched:1: is a submodule, whose files/),
    ]);
  });

  it("takes a collection as it is cloned: history, tooling, and groups of skills at any depth", async () => {
    for (const file of [".git/HEAD", ".github/workflows/ci.yml", "node_modules/x/SKILL.md"])
      await put(file);
    await put("docs/intro.md");
    for (const name of ["documents/pdf", "documents/office/xlsx", ".curated/x", ".system/y"])
      await put(`${name}/SKILL.md`, `---\nname: ${path.basename(name)}\ndescription: d\n---\n`);
    await put("documents/pdf/examples/inner/SKILL.md", "not a skill of its own\n");
    expect(await lintSkills(dir)).toEqual({ ok: true, good: 4, lines: [] });
    const { skills, problems } = await loadSkills(dir);
    expect(skills.map(({ name }) => name)).toEqual(["x", "y", "xlsx", "pdf"]);
    expect(problems.map((each) => path.relative(dir, each.path))).toEqual(["docs/SKILL.md"]);
    await put("wrong/Skill.md");
    const { ok, lines } = await lintSkills(dir);
    expect(ok).toBe(false);
    expect(lines).toEqual([
      expect.stringMatching(/wrong\/SKILL\.md:1: .*rename "Skill.md" to it$/),
    ]);
  });

  it("finds the skills of an organisation's repository, and tells of those that do not count", async () => {
    const house = "---\nname: house\ndescription: d\n---\n";
    await put("acme/.github/skills/house/SKILL.md", house);
    await put("acme/.github/profile/README.md");
    await put("acme/.github/.github/skills/house/SKILL.md", house);
    await put("acme/.github/.claude/skills/group/house/SKILL.md", house);
    const { ok, good, lines } = await lintSkills(path.join(dir, "acme/.github"));
    expect({ ok, good }).toEqual({ ok: true, good: 3 });
    expect(lines).toEqual([
      expect.stringMatching(
        /\.github\/skills\/house:1: note: is not used: .*\.claude\/skills\/group\/house has/,
      ),
      expect.stringMatching(
        /\.claude\/skills\/group\/house:1: note: is not used: .*\.github\/\.github\/skills\/house has/,
      ),
    ]);
  });

  it("takes a repository that keeps its skills in groups, or behind links", async () => {
    const text = (name: string) => `---\nname: ${name}\ndescription: d\n---\n`;
    await put("grouped/skills/.curated/a/SKILL.md", text("a"));
    await put("grouped/skills/more/b/SKILL.md", text("b"));
    await put("grouped/src/main.py");
    expect(await lintSkills(path.join(dir, "grouped"))).toEqual({ ok: true, good: 2, lines: [] });
    await put("linked/tools/notes/SKILL.md", text("other"));
    await put("linked/.agents/skills/x/SKILL.md", text("x"));
    await mkdir(path.join(dir, "linked/.claude/skills"), { recursive: true });
    const link = (target: string, name: string) =>
      symlink(target, path.join(dir, "linked/.claude/skills", name));
    await link("../../tools/notes", "notes");
    await link("../../.agents/skills/x", "x");
    await link("../../../grouped/skills/more/b", "b");
    const { ok, good, lines } = await lintSkills(path.join(dir, "linked"));
    expect({ ok, good }).toEqual({ ok: false, good: 1 });
    expect(lines).toEqual([
      expect.stringMatching(/\.claude\/skills\/b:1: is a symbolic link that leads out of this rep/),
      expect.stringMatching(/tools\/notes\/SKILL\.md:2: name is "other" and its folder "notes"/),
    ]);
  });

  it("takes a skill that two roots of a checkout lead to for one", async () => {
    await put("x/.agents/skills/one/SKILL.md", "---\nname: one\ndescription: d\n---\n");
    await symlink(".agents", path.join(dir, "x/.claude"));
    await mkdir(path.join(dir, "x/.codex"));
    await symlink("../.agents/skills", path.join(dir, "x/.codex/skills"));
    expect(await lintSkills(path.join(dir, "x"))).toEqual({ ok: true, good: 1, lines: [] });
  });

  it("a link out of a collection is told wherever it stands beside skills, and not followed", async () => {
    await put("skills/group/one/SKILL.md", "---\nname: one\ndescription: d\n---\n");
    await put("skills/group/one/notes.md");
    await put("elsewhere/two/SKILL.md", "---\nname: two\ndescription: d\n---\n");
    await symlink("../../elsewhere/two", path.join(dir, "skills/group/two"));
    await symlink("../elsewhere", path.join(dir, "skills/more"));
    await symlink("group/one", path.join(dir, "skills/within"));
    const { skills, problems } = await loadSkills(path.join(dir, "skills"));
    expect(skills.map(({ name }) => name)).toEqual(["one"]);
    expect(problems.map(({ path: at, message }) => [path.relative(dir, at), message])).toEqual(
      ["skills/more", "skills/group/two"].map((at) => [
        at,
        expect.stringMatching(
          /^is a symbolic link out of the folder of skills, and is not followed/,
        ),
      ]),
    );
  });

  it("of one name in one source the later counts, and the other is told of", async () => {
    for (const group of ["a", "b"])
      await put(`${group}/fix/SKILL.md`, `---\nname: fix\ndescription: Of ${group}.\n---\n`);
    const { skills, problems } = await loadSkills(dir);
    expect(skills.map(({ description }) => description)).toEqual(["Of b."]);
    expect(problems).toEqual([
      {
        path: path.join(dir, "a/fix"),
        line: 1,
        message: `is not used: ${path.join(dir, "b/fix")} has the same name and counts before it; keep one of them`,
      },
    ]);
  });

  it("looks at one skill, a folder of them, or a checkout", async () => {
    await skill("one");
    await put("two/SKILL.md", "# no front matter\n");
    expect(await lintSkills(path.join(dir, "one"))).toEqual({ ok: true, good: 1, lines: [] });
    const all = await lintSkills(dir);
    expect(all).toMatchObject({ ok: false, good: 1 });
    expect(all.lines).toEqual([
      `${path.join(dir, "two/SKILL.md")}:1: must begin with front matter: name and description between two lines of ---`,
    ]);
    await put(".claude/skills/three/SKILL.md", "---\nname: three\ndescription: d\n---\n");
    expect(await lintSkills(dir)).toEqual({ ok: true, good: 1, lines: [] });
  });

  it("says of a path that it holds no skill, or is none", async () => {
    expect((await lintSkills(dir)).lines[0]).toMatch(/:1: holds no skill/);
    expect((await lintSkills(path.join(dir, "missing"))).lines[0]).toMatch(/:1: cannot be read/);
  });

  it("of one name the later source counts, and says so", async () => {
    await skill("fix");
    const builtIn = { source: "built-in", commit: null, ...(await loadSkills(dir)) } as const;
    const operator = { ...builtIn, source: "operator" } as const;
    const both = joinSources([builtIn, operator]);
    expect(listSkills(both)).toEqual(["fix (operator, in place of built-in): What fix does."]);
  });

  it("an operator's folder that is not there hides no built-in skill", async () => {
    await skill("fix");
    const lines = listSkills(await serverSkills(dir, path.join(dir, "missing")));
    expect(lines[0]).toBe("fix (built-in): What fix does.");
    expect(lines[1]).toMatch(/missing:1: cannot be read .*set SKILLS_DIR/);
  });
});
