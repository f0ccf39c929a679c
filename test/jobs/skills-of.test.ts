import { afterAll, beforeAll, expect, it } from "vitest";
import type { Job } from "../../src/core/job.ts";
import type { GitHub, Log, Trees } from "../../src/core/ports.ts";
import { repoConfigSchema } from "../../src/core/repo-config.ts";
import type { SkillPin } from "../../src/core/skill.ts";
import { skillNamesOf } from "../../src/jobs/known-skills.ts";
import { skillsOf } from "../../src/jobs/skills-of.ts";
import { firstSkill } from "../../src/jobs/take-up-skill.ts";
import { serverSkills } from "../../src/skills/server-skills.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { silentLog } from "../support/log.ts";
import { aCommand, aJob } from "../support/store-rows.ts";
import { treeOf } from "../support/tree-of.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

const BUILT_IN = new URL("../../src/skills/", import.meta.url).pathname;
const text = (name: string, body: string) => `---\nname: ${name}\ndescription: d\n---\n${body}\n`;

async function jobOn(
  files: Record<string, string | { link: string }>,
  log: Log = silentLog,
  trees?: Trees,
) {
  const { repo, remote } = world.repository();
  const commit = remote.commit(files);
  const job = aJob("j1", aCommand("c1"), {
    repo,
    skill: null,
    skills: { commits: [{ source: "repository", repo, commit }], pins: [] },
  });
  const github = { readGit: (_repo, read) => read(world.token) } as Partial<GitHub> as GitHub;
  const homes = { organisation: async () => null };
  const skills = await serverSkills(BUILT_IN, null);
  const deps = { skills, homes, github, workspaces: world.git, trees: trees ?? world.git, log };
  return { job, deps };
}

it("of one name in two folders of a repository the later counts, and both are named", async () => {
  const said: unknown[] = [];
  const log: Log = { ...silentLog, warn: (fields) => said.push(fields) };
  const { job, deps } = await jobOn(
    {
      ".agents/skills/deploy/SKILL.md": text("deploy", "Old."),
      ".claude/skills/deploy/SKILL.md": text("deploy", "New."),
    },
    log,
  );
  const { skills } = await skillsOf(job, deps, new AbortController().signal);
  const deploy = skills.filter(({ name }) => name === "deploy");
  expect(deploy).toMatchObject([{ body: "New.", source: "repository" }]);
  expect(JSON.stringify(said)).toMatch(
    /"\.agents\/skills\/deploy".*\.claude\/skills\/deploy has the same name/,
  );
});

it("a skill that a task names, or that a job took up, is found however many there are", async () => {
  const names = Array.from({ length: 1_004 }, (_, at) => `s${String(at).padStart(4, "0")}`);
  const tree = treeOf(
    Object.fromEntries(names.map((name) => [`.agents/skills/${name}/SKILL.md`, text(name, "Do.")])),
  );
  const said: unknown[] = [];
  const log: Log = { ...silentLog, warn: (fields) => said.push(fields) };
  const { job, deps } = await jobOn({ "a.txt": "a\n" }, log, { at: () => tree });
  const found = async (more: Partial<Job>) => {
    const asked = { ...job, ...more };
    const catalogue = await skillsOf(asked, deps, new AbortController().signal);
    return { first: firstSkill(asked, catalogue), names: catalogue.skills.map(({ name }) => name) };
  };
  const byFlag = await found({ skill: "s1003", skillBy: "flag", task: "make it" });
  expect(byFlag.first).toMatchObject({ kind: "chosen", by: "flag", skill: { name: "s1003" } });
  expect(byFlag.names).not.toContain("s1002");
  const byWord = await found({ task: "S1002 make it" });
  expect(byWord.first).toMatchObject({
    kind: "chosen",
    by: "first_word",
    skill: { name: "s1002" },
  });
  const pins = [{ name: "s1001" }] as SkillPin[];
  const commits = job.skills?.commits ?? [];
  expect((await found({ task: "go on", skills: { commits, pins } })).names).toContain("s1001");
  expect(JSON.stringify(said)).toMatch(
    /holds 1004 folders, more than the 1000 whose skills are read/,
  );
  // Who must answer at once knows all of them, and what cannot be looked into.
  const homes = { organisation: async () => null, files: async () => tree };
  expect(await skillNamesOf(job.repo, homes)).toEqual(names);
});

it("what is wrong with the place of a skill is said to who asks for it by its name", async () => {
  const { job, deps } = await jobOn({ ".agents/skills/gone": { link: "../nowhere" } });
  const [at] = job.skills?.commits ?? [];
  const files = world.git.at(job.repo, at?.commit ?? "");
  await skillsOf(job, deps, new AbortController().signal);
  const homes = { organisation: async () => null, files: async () => files };
  expect(await skillNamesOf(job.repo, homes)).toEqual(["gone"]);
  const asked = { ...job, skill: "gone", skillBy: "flag" as const };
  const catalogue = await skillsOf(asked, deps, new AbortController().signal);
  expect(firstSkill(asked, catalogue)).toEqual({
    kind: "refused",
    reason:
      "the skill `gone` cannot be used: `.agents/skills/gone:1` is a symbolic link that leads to no folder of this repository; mend it",
  });
});

it("one folder behind links in several roots is one skill, of which nothing is to be said", async () => {
  const said: unknown[] = [];
  const log: Log = { ...silentLog, warn: (fields) => said.push(fields) };
  const { job, deps } = await jobOn(
    {
      "tools/deploy/SKILL.md": text("deploy", "Body."),
      ".claude/skills": { link: "../tools" },
      ".codex/skills": { link: "../tools" },
      ".agents/skills/deploy": { link: "../../tools/deploy" },
    },
    log,
  );
  const { skills } = await skillsOf(job, deps, new AbortController().signal);
  expect(skills.find(({ name }) => name === "deploy")).toMatchObject({ path: "tools/deploy" });
  expect(said).toEqual([]);
});

it.each([
  [".claude", "the folder above a root", { ".claude": { link: ".agents" } }],
  [".claude/skills", "a root", { ".claude/skills": { link: "../.agents/skills" } }],
  [
    ".claude/skills/deploy",
    "a skill",
    { ".claude/skills/deploy": { link: "../../.agents/skills/ops/deploy" } },
  ],
])("a link in the place of %s, %s, is no second skill", async (_at, _what, links) => {
  const said: unknown[] = [];
  const log: Log = { ...silentLog, warn: (fields) => said.push(fields) };
  const { job, deps } = await jobOn(
    { ".agents/skills/ops/deploy/SKILL.md": text("deploy", "Body."), ...links },
    log,
  );
  const { skills } = await skillsOf(job, deps, new AbortController().signal);
  expect(skills.find(({ name }) => name === "deploy")).toMatchObject({
    path: ".agents/skills/ops/deploy",
    instead: [],
  });
  expect(said).toEqual([]);
});

it("a job that is to stop reads no further skill", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [
      `.agents/skills/s${at}/SKILL.md`,
      text(`s${at}`, "Body."),
    ]),
  );
  const stop = new AbortController();
  let reads = 0;
  const trees: Trees = {
    at(...of) {
      const files = world.git.at(...of);
      return {
        ...files,
        bytes(...asked) {
          reads += 1;
          if (reads === 3) stop.abort(new Error("the lease is lost"));
          return files.bytes(...asked);
        },
      };
    },
  };
  const { job, deps } = await jobOn(files, silentLog, trees);
  await expect(skillsOf(job, deps, stop.signal)).rejects.toThrow("the lease is lost");
  expect(reads).toBe(3);
});

it("the built-in review changes nothing, so it is taken wherever paths are bounded", async () => {
  const { job, deps } = await jobOn({ "a.txt": "a\n" });
  const catalogue = await skillsOf(job, deps, new AbortController().signal);
  const config = repoConfigSchema.parse({ paths: { allowed: ["src/**"] } });
  const asked = { ...job, config, task: "review the retry code" };
  expect(firstSkill(asked, catalogue)).toMatchObject({
    kind: "chosen",
    skill: { name: "review", manifest: { writes: [] } },
  });
});
