import { TransientError, UserError } from "../core/errors.ts";
import type { Job, VerifiedChange } from "../core/job.ts";
import type {
  ChangedFile,
  GitHub,
  KeptFiles,
  Objects,
  SnapshotStore,
  Workspaces,
} from "../core/ports.ts";
import { packOf } from "./shelf.ts";

export interface BringDeps {
  github: GitHub;
  workspaces: Workspaces;
  objects: Objects;
  snapshots: SnapshotStore;
}

/** The commit of a change as it is kept with the job, so that any worker can go on with it. */
export async function packChange(
  job: Job,
  { commit, parent }: Pick<VerifiedChange, "commit" | "parent">,
  { workspaces }: { workspaces: Workspaces },
): Promise<KeptFiles> {
  return { commit, pack: await workspaces.packCommit(job.repo, commit, parent) };
}

/**
 * Brings a change into this mirror that was made with another one, or before it was fetched anew: what it
 * changes, or null when it is nowhere.
 */
export async function bringChange(
  job: Job,
  { commit, parent }: Pick<VerifiedChange, "commit" | "parent">,
  { github, workspaces, objects, snapshots }: BringDeps,
): Promise<ChangedFile[] | null> {
  const { id: jobId, repo } = job;
  // A mirror that is not there, or was damaged, is fetched below.
  const here = await objects.changed(repo, commit).catch(unlessPassing);
  if (here !== null) return here;
  const fetch = (sha: string) =>
    github.readGit(repo, (token) => workspaces.fetch(repo, [sha], token));
  await fetch(parent);
  const kept = await snapshots.kept(jobId);
  if (kept?.commit === commit) {
    const pack = await packOf(job, kept, { github, workspaces });
    if (pack === null || !(await workspaces.unpack({ jobId, repo, parent, commit, pack })))
      return null;
  } else {
    // It may have been pushed.
    const gone = await fetch(commit).then(() => false, unlessTold);
    if (gone) return null;
  }
  return objects.changed(repo, commit);
}

function unlessPassing(thrown: unknown): null {
  if (thrown instanceof TransientError) return null;
  throw thrown;
}

function unlessTold(thrown: unknown): true {
  if (thrown instanceof UserError) return true;
  throw thrown;
}
