import { SKILL_SOURCES, type SkillSource } from "../core/skill.ts";
import type { LoadedSkills, Skill, SkillProblem } from "./load.ts";

/** A skill with where it is from. */
export interface SourcedSkill extends Skill {
  source: SkillSource;
  /** The commit it is read from; null for a folder of the server. */
  commit: string | null;
  /** Sources that have another one of its name, which counts less. */
  instead: SkillSource[];
}

/** The skills of several sources as one, and what is to be known of those left out. */
export interface Catalogue {
  /** In order of their names. */
  skills: SourcedSkill[];
  problems: SkillProblem[];
}

/** What one source gave. */
export interface SourceLoad extends LoadedSkills {
  source: SkillSource;
  commit: string | null;
}

/** Joins sources, the ones that count least first: of one name the later one wins, and says in place of whose. */
export function joinSources(loads: readonly SourceLoad[]): Catalogue {
  const skills = new Map<string, SourcedSkill>();
  for (const { source, commit, skills: loaded } of loads) {
    for (const skill of loaded) {
      const before = skills.get(skill.name);
      const instead = before ? [...before.instead, before.source] : [];
      skills.set(skill.name, { ...skill, source, commit, instead });
    }
  }
  return {
    skills: [...skills.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    problems: loads.flatMap(({ problems }) => problems),
  };
}

/** A catalogue with more sources over it. */
export function extended(catalogue: Catalogue, loads: readonly SourceLoad[]): Catalogue {
  const below = SKILL_SOURCES.flatMap((source) =>
    catalogue.skills
      .filter((skill) => skill.source === source)
      .map(
        (skill): SourceLoad => ({ source, commit: skill.commit, skills: [skill], problems: [] }),
      ),
  );
  const joined = joinSources([...below, ...loads]);
  const hidden = new Map(catalogue.skills.map(({ name, instead }) => [name, instead]));
  return {
    skills: joined.skills.map((skill) => ({
      ...skill,
      instead: [...(hidden.get(skill.name) ?? []), ...skill.instead],
    })),
    problems: [...catalogue.problems, ...joined.problems],
  };
}
