import type { RepoRef } from "../core/job.ts";
import type { SkillHomes } from "../core/ports.ts";
import { skillEntry } from "../skills/folder.ts";
import { foldersInGit, ORGANISATION_ROOTS, ROOTS } from "../skills/in-git.ts";

/**
 * Names that skills of a repository and of its organisation can have, for who must answer at once and has
 * no git: the folders with a SKILL.md on their default branches. Whether each is sound is seen when it is read.
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
      return files === null ? [] : (await foldersInGit(files, roots)).folders;
    }),
  );
  const skills = found.flat().filter(({ entries }) => skillEntry(entries ?? []) !== undefined);
  return [...new Set(skills.map(({ name }) => name.normalize("NFKC")))].sort();
}
