import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { JobPatch } from "../../src/core/job.ts";
import { repoConfigSchema } from "../../src/core/repo-config.ts";
import type { SkillFile } from "../../src/core/skill.ts";
import type { Attempt } from "../../src/jobs/attempt.ts";
import { bringBack, takeUp } from "../../src/jobs/take-up-skill.ts";
import { skillChooser } from "../../src/jobs/tell-skills.ts";
import { joinSources } from "../../src/skills/catalogue.ts";
import { loadSkills } from "../../src/skills/load.ts";
import { silentLog } from "../support/log.ts";
import { aCommand, aJob } from "../support/store-rows.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "draftsmith-skills-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function skillWith(metadata: string): Promise<void> {
  await mkdir(path.join(dir, "x/scripts"), { recursive: true });
  await mkdir(path.join(dir, "x/Scripts/sub"), { recursive: true });
  await mkdir(path.join(dir, "x/lib"), { recursive: true });
  const text = `---\nname: x\ndescription: d\n${metadata}---\nBody.\n`;
  await writeFile(path.join(dir, "x/SKILL.md"), text);
  for (const file of ["scripts/run.sh", "scripts/other.sh", "Scripts/sub/x.sh", "lib/tool"]) {
    await writeFile(path.join(dir, "x", file), `echo ${file}\n`);
    await chmod(path.join(dir, "x", file), 0o755);
  }
  await symlink("scripts/run.sh", path.join(dir, "x/go.sh"));
  await symlink("../scripts/other.sh", path.join(dir, "x/lib/other"));
}

/** What a job mounts and is told when it takes the skill up, then when its workspace is made anew. */
async function mounted(scripts: boolean) {
  const catalogue = joinSources([{ source: "operator", commit: null, ...(await loadSkills(dir)) }]);
  expect(catalogue.problems).toEqual([]);
  const [skill] = catalogue.skills;
  if (!skill) throw new Error("there is no skill");
  const job = aJob("j1", aCommand("c1"), {
    skill: null,
    config: repoConfigSchema.parse({ skills: { scripts } }),
  });
  const mounts: SkillFile[][] = [];
  const deps = {
    log: silentLog,
    shelf: {
      async mount(_job: string, _name: string, files: readonly SkillFile[]) {
        mounts.push([...files]);
      },
    },
  };
  const attempt = {
    job,
    async write(patch: JobPatch) {
      Object.assign(job, patch);
    },
  } as Partial<Attempt> as Attempt;
  const { files } = await takeUp(attempt, { skill, by: "model" }, { commits: [] }, deps);
  await bringBack(job, catalogue, deps);
  const [first = [], again] = mounts;
  expect(again).toEqual(first);
  expect(files).toEqual(first.map((file) => file.path));
  return { catalogue, attempt, deps, modes: first.map((file) => `${file.path} ${file.mode}`) };
}

it.each<[string, boolean, string[]]>([
  [
    "",
    true,
    [
      "SKILL.md 100644",
      "Scripts/sub/x.sh 100755",
      "go.sh 100755",
      "lib/other 100755",
      "lib/tool 100755",
      "scripts/other.sh 100755",
      "scripts/run.sh 100755",
    ],
  ],
  ["", false, ["SKILL.md 100644", "lib/tool 100644"]],
  ["metadata:\n  draftsmith-scripts: none\n", true, ["SKILL.md 100644", "lib/tool 100644"]],
  [
    "metadata:\n  draftsmith-scripts: scripts/run.sh\n",
    true,
    ["SKILL.md 100644", "go.sh 100755", "lib/tool 100755", "scripts/run.sh 100755"],
  ],
])(
  "with the metadata %j and scripts %j a job has no other scripts, by whatever name or link",
  async (metadata, allowed, files) => {
    await skillWith(metadata);
    expect((await mounted(allowed)).modes).toEqual(files);
  },
);

it("a model that wants a skill edited since it was read is told so and goes on", async () => {
  await skillWith("");
  const { catalogue, attempt, deps } = await mounted(true);
  const before = structuredClone(attempt.job.skills);
  await writeFile(path.join(dir, "x/SKILL.md"), "---\nname: x\ndescription: d\n---\nOther.\n");
  const { onSkill } = skillChooser(attempt, { ...catalogue, commits: [] }, deps);
  expect(await onSkill?.("x")).toEqual({
    ok: false,
    text: expect.stringMatching(/the skill `x` is another since .*Go on without it\.$/),
  });
  expect(attempt.job.skills).toEqual(before);
  // A job that took it up before goes on without its files.
  await bringBack(attempt.job, catalogue, {
    log: silentLog,
    shelf: { mount: () => Promise.reject(new Error("these are other files")) },
  });
});
