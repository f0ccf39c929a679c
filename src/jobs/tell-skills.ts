import { skillBody } from "../agents/skill-text.ts";
import type { SkillAnswer } from "../agents/tools/skill.ts";
import { UserError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import type { Attempt } from "./attempt.ts";
import type { ToldSkills } from "./briefing.ts";
import type { JobCatalogue } from "./skills-of.ts";
import { type FirstSkill, refusalOf, type TakeUpDeps, takeUp } from "./take-up-skill.ts";

/** Takes up the skill a job begins with, or offers those the model may choose from. */
export async function tellSkills(
  attempt: Attempt,
  first: FirstSkill,
  catalogue: JobCatalogue,
  deps: TakeUpDeps,
): Promise<ToldSkills> {
  const { job } = attempt;
  if (first.kind === "chosen") {
    const { pin, files } = await takeUp(attempt, first, catalogue, deps);
    const { body, stripped: what } = first.skill;
    const stripped = what.length > 0 ? [{ where: `skill ${pin.name}`, what }] : [];
    return { body: skillBody({ pin, body, files }), offered: [], stripped };
  }
  // From here on the job's skills are those of these commits, whatever is pushed meanwhile.
  await attempt.write({ skills: { commits: catalogue.commits, pins: [] } });
  return { body: null, offered: mayChoose(job) ? offeredTo(job, catalogue) : [], stripped: [] };
}

/** How the model takes up a skill; nothing when it has no choice. */
export function skillChooser(
  attempt: Attempt,
  catalogue: JobCatalogue,
  deps: TakeUpDeps,
): { onSkill?: (name: string) => Promise<SkillAnswer> } {
  const { job } = attempt;
  const offered = offeredTo(job, catalogue);
  const pins = job.skills?.pins ?? [];
  if (!mayChoose(job) || offered.length + pins.length === 0) return {};
  return {
    async onSkill(name) {
      const skill = catalogue.skills.find((each) => each.name === name);
      if (skill === undefined) {
        const names = offered.map((each) => each.name).join(", ");
        return {
          ok: false,
          text: `There is no skill ${JSON.stringify(name)}. There are: ${names}`,
        };
      }
      const refused = refusalOf(skill, job);
      if (refused !== null) return { ok: false, text: `${refused}. Go on without it.` };
      const taken = await takeUp(attempt, { skill, by: "model" }, catalogue, deps).catch(refusal);
      if ("ok" in taken) return taken;
      const { pin, files } = taken;
      const hidden = { where: `skill ${name}`, what: skill.stripped };
      const { sources } = job;
      if (sources && hidden.what.length > 0) {
        const stripped = [...sources.stripped, hidden];
        await attempt.write({ sources: { ...sources, stripped } }, [
          { type: "stripped", ...hidden },
        ]);
      }
      return { ok: true, text: skillBody({ pin, body: skill.body, files }) };
    },
  };
}

/** Whether nobody chose for the model. */
function mayChoose({ skill, skillBy, skills }: Job): boolean {
  const chosen = (skills?.pins ?? []).some(({ by }) => by !== "model");
  return skill === null && skillBy !== "none" && !chosen;
}

/** The skills a job could take up as it is configured. */
function offeredTo(job: Job, { skills }: JobCatalogue) {
  return skills.filter((skill) => refusalOf(skill, job) === null);
}

/** A skill that cannot be had, to a model that can go on without it. */
function refusal(thrown: unknown): SkillAnswer {
  if (thrown instanceof UserError)
    return { ok: false, text: `${thrown.message}. Go on without it.` };
  throw thrown;
}
