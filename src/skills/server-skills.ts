import { toError } from "../core/errors.ts";
import { type Catalogue, joinSources, type SourceLoad } from "./catalogue.ts";
import { type LoadedSkills, loadSkills } from "./load.ts";

/** The skills that a server has of its own: the built-in ones, and those in its operator's folder. */
export async function serverSkills(builtIn: string, operator: string | null): Promise<Catalogue> {
  const loads: SourceLoad[] = [
    { source: "built-in", commit: null, ...(await loadSkills(builtIn)) },
  ];
  if (operator !== null) {
    const loaded = await loadSkills(operator).catch((thrown: unknown): LoadedSkills => {
      const message = `cannot be read (${toError(thrown).message}); set SKILLS_DIR to a folder of skills, or leave it out`;
      return { skills: [], problems: [{ path: operator, line: 1, message }] };
    });
    loads.push({ source: "operator", commit: null, ...loaded });
  }
  return joinSources(loads);
}
