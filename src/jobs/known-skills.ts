import type { RepoRef } from "../core/job.ts";
import type { SkillHomes } from "../core/ports.ts";
import { skillEntry } from "../skills/folder.ts";
import { foldersInGit, ORGANISATION_ROOTS, ROOTS } from "../skills/in-git.ts";

/**
 * Names that skills of a repository and of its organisation can have, for who must answer at once and has
 * no git: the folders with a SKILL.md on their default branches. Whether each is sound is seen when it is read,
 * as is what is wrong with a place that cannot be looked into, such as a submodule.
 */
export async function skillNamesOf(repo: RepoRef, homes: SkillHomes): Promise<string[]> {
  const organisation = await homes.organisation(repo);
  const places = [
    { repo, roots: ROOTS },
    ...(organisation ? [{ repo: organisation, roots: ORGANISATION_ROOTS }] : []),
  ];
  const found = await Promise.all(
    places.map(async ({ repo, roots }) => {
      const files = await homes.files(repo);
      if (files === null) return [];
      const { folders, problems } = await foldersInGit(files, roots, () => true);
      const skills = folders.filter(({ entries }) => skillEntry(entries ?? []) !== undefined);
      const missed = problems.filter(({ path }) => !roots.includes(path));
      return [
        ...skills.map(({ name }) => name),
        ...missed.map(({ path }) => path.slice(path.lastIndexOf("/") + 1)),
      ];
    }),
  );
  return [...new Set(found.flat().map((name) => name.normalize("NFKC")))].sort();
}
