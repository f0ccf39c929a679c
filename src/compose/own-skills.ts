import { fileURLToPath } from "node:url";
import type { AppConfig } from "../config.ts";
import { rulesWithoutSkill } from "../core/config-notes.ts";
import type { Catalogue } from "../skills/catalogue.ts";
import { serverSkills } from "../skills/server-skills.ts";

const BUILT_IN_SKILLS = fileURLToPath(new URL("../skills/", import.meta.url));

/** The skills of this server, and `rules` of its operator that look for another one: lines with their places. */
export async function ownSkills({
  skillsDir,
  offer: { routes, placeOf },
}: AppConfig): Promise<Catalogue & { rules: string[] }> {
  const catalogue = await serverSkills(BUILT_IN_SKILLS, skillsDir);
  const names = catalogue.skills.map(({ name }) => name);
  const rules = rulesWithoutSkill(routes, names).map(
    ({ at, text }) =>
      `${placeOf(["routes", at])}: ${text}; it holds only in repositories that bring one of that name`,
  );
  return { ...catalogue, rules };
}
