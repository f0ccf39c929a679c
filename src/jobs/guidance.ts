import type { Command, Job } from "../core/job.ts";
import { isAgentBranch } from "../core/plan.ts";
import type { GitHub, Objects, Workspaces } from "../core/ports.ts";
import type { Stripped } from "../core/sources.ts";
import { visibleSource } from "../core/visible/text.ts";

const MAX_FILES = 20;
const MAX_BYTES = 64 * 1024;

/** AGENTS.md files, and whether those in the checkout are the same. */
export interface Guidance {
  files: { path: string; text: string }[];
  inCheckout: boolean;
}

/**
 * The AGENTS.md files a job follows: those of the branch its change shall go to in the end. On a pull
 * request this is its base, for anybody's agent can have written its branch; a branch of ours never
 * counts. Nothing is read from the worktree.
 */
export async function guidanceOf(
  job: Job,
  command: Command,
  deps: { github: GitHub; objects: Objects; workspaces: Workspaces },
  stripped: Stripped[],
): Promise<Guidance> {
  const commit = await guidingCommit(job, command, deps.github);
  if (commit === null) return { files: [], inCheckout: false };
  if (commit !== job.baseSha) await fetchCommit(job, commit, deps);
  const paths = await deps.objects.find(job.repo, commit, "AGENTS.md");
  const files: Guidance["files"] = [];
  for (const path of paths.slice(0, MAX_FILES)) {
    const source = await deps.objects.file(job.repo, commit, path, MAX_BYTES);
    if (source === null) continue;
    const { text, what } = visibleSource(source);
    if (what.length > 0) stripped.push({ where: path, what });
    files.push({ path, text });
  }
  return { files, inCheckout: commit === job.baseSha };
}

/** Brings a commit into the mirror. */
export function fetchCommit(
  { repo }: Job,
  commit: string,
  { github, workspaces }: { github: GitHub; workspaces: Workspaces },
): Promise<void> {
  return github.readGit(repo, (token) => workspaces.fetch(repo, [commit], token));
}

async function guidingCommit(job: Job, command: Command, github: GitHub): Promise<string | null> {
  const branch = command.pull?.base ?? job.target.base;
  if (!isAgentBranch(branch)) {
    return command.pull ? github.branchSha(job.repo, branch) : job.baseSha;
  }
  const { defaultBranch } = await github.repository(job.repo);
  return isAgentBranch(defaultBranch) ? null : github.branchSha(job.repo, defaultBranch);
}
