import type { Job, RepoRef } from "../core/job.ts";
import { isAgentBranch } from "../core/plan.ts";
import type { GitHub, Log, SkillHomes, Trees, Workspaces } from "../core/ports.ts";
import type { SkillCommit } from "../core/skill.ts";
import { type Catalogue, extended, type SourceLoad } from "../skills/catalogue.ts";
import { foldersInGit, ORGANISATION_ROOTS, ROOTS } from "../skills/in-git.ts";
import { type LoadedSkills, loadFolders, type Skill } from "../skills/load.ts";

export interface SkillsDeps {
  /** Those of this server. */
  skills: Catalogue;
  homes: Pick<SkillHomes, "organisation">;
  github: GitHub;
  workspaces: Workspaces;
  trees: Trees;
  log: Log;
}

/** The skills a job can take up, and the commits they are read from as long as it lives. */
export interface JobCatalogue extends Catalogue {
  commits: SkillCommit[];
}

/**
 * Reads what a job can take up: the server's skills, over them its organisation's and its repository's, from
 * git's objects at the commits their default branches had when it began. A branch that is worked on, or a
 * checkout, never counts.
 */
export async function skillsOf(job: Job, deps: SkillsDeps): Promise<JobCatalogue> {
  const commits = job.skills?.commits ?? (await commitsOf(job.repo, deps));
  const loads: SourceLoad[] = [];
  for (const at of commits) {
    const { source, repo, commit } = at;
    await deps.github.readGit(repo, (token) => deps.workspaces.fetch(repo, [commit], token));
    loads.push({ source, commit, ...(await loadCommit(at, deps.trees)) });
  }
  const catalogue = extended(deps.skills, loads);
  for (const { problems, source } of loads) {
    if (problems.length === 0) continue;
    deps.log.warn({ jobId: job.id, source, problems }, "skills of a repository were left out");
  }
  return { ...catalogue, commits };
}

async function commitsOf(repo: RepoRef, deps: SkillsDeps): Promise<SkillCommit[]> {
  const organisation = await deps.homes.organisation(repo);
  const found = await Promise.all([
    organisation && commitOf("organisation", organisation, deps),
    commitOf("repository", repo, deps),
  ]);
  return found.filter((each) => each !== null);
}

/** The commit of the default branch; none while there is no such commit, or an agent could have written it. */
async function commitOf(
  source: SkillCommit["source"],
  repo: RepoRef,
  { github }: SkillsDeps,
): Promise<SkillCommit | null> {
  const { defaultBranch } = await github.repository(repo);
  if (isAgentBranch(defaultBranch)) return null;
  const commit = await github.branchSha(repo, defaultBranch);
  return commit === null ? null : { source, repo, commit };
}

/** All roots of one commit; of one name the skill in the later root counts. */
async function loadCommit(at: SkillCommit, trees: Trees): Promise<LoadedSkills> {
  const roots = at.source === "organisation" ? ORGANISATION_ROOTS : ROOTS;
  const skills = new Map<string, Skill>();
  const problems: LoadedSkills["problems"] = [];
  for (const root of roots) {
    const found = await foldersInGit(trees, at, root);
    const loaded = await loadFolders(found.folders);
    problems.push(...found.problems, ...loaded.problems);
    for (const skill of loaded.skills) skills.set(skill.name, skill);
  }
  return { skills: [...skills.values()], problems };
}
