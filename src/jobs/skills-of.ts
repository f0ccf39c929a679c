import type { Job, RepoRef } from "../core/job.ts";
import { isAgentBranch } from "../core/plan.ts";
import type { GitHub, Log, SkillHomes, TreeFiles, Trees, Workspaces } from "../core/ports.ts";
import type { SkillCommit } from "../core/skill.ts";
import { type Catalogue, extended, type SourceLoad } from "../skills/catalogue.ts";
import { foldersInGit, ORGANISATION_ROOTS, ROOTS } from "../skills/in-git.ts";
import { type LoadedSkills, loadFolders } from "../skills/load.ts";
import { skillAsked } from "./take-up-skill.ts";

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
 * checkout, never counts. Throws the reason of `signal` once it is aborted.
 */
export async function skillsOf(
  job: Job,
  deps: SkillsDeps,
  signal: AbortSignal,
): Promise<JobCatalogue> {
  const commits = job.skills?.commits ?? (await commitsOf(job.repo, deps));
  const named = new Set([skillAsked(job), ...(job.skills?.pins ?? []).map(({ name }) => name)]);
  const isNamed = (name: string) => named.has(name.normalize("NFKC"));
  const loads: SourceLoad[] = [];
  for (const at of commits) {
    const { source, repo, commit } = at;
    await deps.github.readGit(repo, (token) => deps.workspaces.fetch(repo, [commit], token));
    const files = until(signal, deps.trees.at(repo, commit));
    loads.push({ source, commit, ...(await loadCommit(at, files, isNamed)) });
    // A reading that was cut off looks like skills that cannot be read.
    signal.throwIfAborted();
  }
  const catalogue = extended(deps.skills, loads);
  for (const { problems, source } of loads) {
    if (problems.length === 0) continue;
    deps.log.warn({ jobId: job.id, source, problems }, "skills of a repository were left out");
  }
  return { ...catalogue, commits };
}

/** Files of commits that are read until the job is to stop, now or when a skill is taken up. */
function until(signal: AbortSignal, files: TreeFiles): TreeFiles {
  return {
    async entry(...asked) {
      signal.throwIfAborted();
      return files.entry(...asked);
    },
    async entries(...asked) {
      signal.throwIfAborted();
      return files.entries(...asked);
    },
    async bytes(...asked) {
      signal.throwIfAborted();
      return files.bytes(...asked);
    },
  };
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
async function loadCommit(
  { source }: SkillCommit,
  files: TreeFiles,
  isNamed: (name: string) => boolean,
): Promise<LoadedSkills> {
  const roots = source === "organisation" ? ORGANISATION_ROOTS : ROOTS;
  const { folders, problems } = await foldersInGit(files, roots, isNamed);
  const loaded = await loadFolders(folders);
  return { skills: loaded.skills, problems: [...problems, ...loaded.problems] };
}
