import type { RepoRef } from "../core/job.ts";
import type { SkillHomes } from "../core/ports.ts";
import { ORGANISATION_ROOTS, ROOTS } from "../skills/in-git.ts";

/**
 * Names that skills of a repository and of its organisation can have, for who must answer at once and has
 * no git: the folders on their default branches. Whether each is a skill is seen when it is read.
 */
export async function skillNamesOf(repo: RepoRef, homes: SkillHomes): Promise<string[]> {
  const organisation = await homes.organisation(repo);
  const places = [
    ...ROOTS.map((root) => ({ repo, root })),
    ...(organisation ? ORGANISATION_ROOTS.map((root) => ({ repo: organisation, root })) : []),
  ];
  const found = await Promise.all(places.map((place) => homes.folders(place.repo, place.root)));
  return [...new Set(found.flat().map((name) => name.normalize("NFKC")))].sort();
}
