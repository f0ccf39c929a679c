import { didYouMean } from "../core/did-you-mean.ts";
import { UserError } from "../core/errors.ts";
import { foldPath } from "../core/fold-path.ts";
import type { Job } from "../core/job.ts";
import { codeSpan } from "../core/markdown.ts";
import type { Log, SkillShelf } from "../core/ports.ts";
import type { SkillFile, SkillManifest, SkillPin } from "../core/skill.ts";
import { excessOf, skillAgainst } from "../core/skill-manifest.ts";
import type { SourcedSkill } from "../skills/catalogue.ts";
import type { BundleFile } from "../skills/folder.ts";
import type { Attempt } from "./attempt.ts";
import type { JobCatalogue } from "./skills-of.ts";

export interface TakeUpDeps {
  shelf: SkillShelf;
  log: Log;
}

/** Which skill a job works by from its start. */
export type FirstSkill =
  | { kind: "chosen"; skill: SourcedSkill; by: "flag" | "first_word" }
  | { kind: "open" }
  | { kind: "refused"; reason: string };

/** The name that a task says a skill has, by its flag or its first word, whether there is such a skill or not. */
export function skillAsked({ skill, task }: Pick<Job, "skill" | "task">): string | undefined {
  return skill ?? /^\S+/.exec(task)?.[0].toLowerCase().normalize("NFKC");
}

/** The skill that a flag or the first word of the task names; refused when it may not be taken up. */
export function firstSkill(job: Job, { skills, problems }: JobCatalogue): FirstSkill {
  if (job.skillBy === "none") return { kind: "open" };
  const by = job.skillBy ?? "first_word";
  const asked = skillAsked(job);
  const skill = skills.find(({ name }) => name === asked);
  if (skill !== undefined) {
    const reason = refusalOf(skill, job);
    return reason === null ? { kind: "chosen", skill, by } : { kind: "refused", reason };
  }
  if (job.skill === null) return { kind: "open" };
  // Somebody asked for it by its name, so what is wrong with it is worth an answer.
  const broken = problems.filter(({ path }) => path.split("/").includes(job.skill ?? ""));
  const why = broken.map(({ path, line, message }) => `${codeSpan(`${path}:${line}`)} ${message}`);
  if (why.length > 0) {
    const reason = `the skill ${codeSpan(job.skill)} cannot be used: ${why.join("; ")}`;
    return { kind: "refused", reason };
  }
  const meant = didYouMean(
    job.skill,
    skills.map(({ name }) => name),
  );
  const hint = meant === null ? "" : `; did you mean ${codeSpan(meant)}?`;
  return { kind: "refused", reason: `there is no skill ${codeSpan(job.skill)}${hint}` };
}

/** Why a job may not take a skill up, with what to do; null when it may. */
export function refusalOf({ name, manifest }: SourcedSkill, job: Job): string | null {
  // Those that its other skills leave it; the one that mends failed checks is none to begin with.
  const models = (job.route?.choices ?? [job])
    .map(({ model }) => model)
    .filter((model) => skillAgainst(job.skills?.pins ?? [], model) === null);
  const excess = excessOf(manifest, job.config, models);
  return excess.length === 0
    ? null
    : `the skill ${codeSpan(name)} wants more than it may have: ${excess.join("; ")}; or ask again with \`--skill none\``;
}

/** Pins a skill and puts its files where the job's commands see them; the names of those files. */
export async function takeUp(
  attempt: Attempt,
  { skill, by }: { skill: SourcedSkill; by: SkillPin["by"] },
  catalogue: Pick<JobCatalogue, "commits">,
  deps: TakeUpDeps,
): Promise<{ pin: SkillPin; files: string[] }> {
  const { job } = attempt;
  const { name, source, commit, instead, manifest } = skill;
  const { files, digest } = await skill.bundle();
  const shown = allowedFiles(files, manifest, job.config.skills.scripts);
  await deps.shelf.mount(job.id, name, shown);
  const pin: SkillPin = { name, source, digest, commit, instead, by, manifest };
  const others = (job.skills?.pins ?? []).filter((each) => each.name !== name);
  await attempt.write({ skills: { commits: catalogue.commits, pins: [...others, pin] } }, [
    { type: "skill", pin },
  ]);
  return { pin, files: shown.map(({ path }) => path) };
}

/**
 * Puts the files of pinned skills into a workspace that was made anew, the job's own unless another is
 * named: the same bytes, or none.
 */
export async function bringBack(
  job: Job,
  { skills }: Pick<JobCatalogue, "skills">,
  { shelf, log }: TakeUpDeps,
  workspace = job.id,
): Promise<void> {
  for (const pin of job.skills?.pins ?? []) {
    const skill = skills.find(({ name, source }) => name === pin.name && source === pin.source);
    const bundle = await skill?.bundle().catch(unlessUserError);
    if (bundle?.digest !== pin.digest) {
      // A server's own skill may be another since its last start; what the job was told of it stands.
      log.warn({ jobId: job.id, skill: pin.name }, "the files of a skill are not what they were");
      continue;
    }
    await shelf.mount(
      workspace,
      pin.name,
      allowedFiles(bundle.files, pin.manifest, job.config.skills.scripts),
    );
  }
}

/** Whether a path is among the scripts of a skill, to a file system that ignores case as well. */
function isScript(path: string): boolean {
  return foldPath(path).startsWith("scripts/");
}

/**
 * The files of a bundle that a job may have: of its scripts those that it says it runs, where any may be run.
 * A link is a script when it leads to one. Where none may be run, no file can be started by itself.
 */
function allowedFiles(
  files: readonly BundleFile[],
  { scripts }: SkillManifest,
  allowed: boolean,
): SkillFile[] {
  const runs = allowed && scripts !== "none";
  const named = Array.isArray(scripts) ? scripts : null;
  return files.flatMap(({ path, target, mode, bytes }): SkillFile[] => {
    const asScript = [path, target].filter(isScript);
    if (asScript.length > 0) {
      if (!runs) return [];
      if (named && !named.includes(path) && !asScript.every((each) => named.includes(each)))
        return [];
    }
    return [{ path, mode: runs ? mode : "100644", bytes }];
  });
}

function unlessUserError(thrown: unknown): null {
  if (thrown instanceof UserError) return null;
  throw thrown;
}
