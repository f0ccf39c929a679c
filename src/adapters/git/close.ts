import { rm } from "node:fs/promises";
import type { RepoRef } from "../../core/job.ts";
import { type GitContext, mirrorDir, placeOf } from "./layout.ts";
import { forgetWorktree } from "./worktrees.ts";

/**
 * Removes the workspace of a job in whatever state it is. What was taken from it stays in the mirror,
 * under `refs/draftsmith/jobs/<job id>`.
 */
export async function close(context: GitContext, jobId: string, repo: RepoRef): Promise<void> {
  const place = placeOf(context.workDir, jobId);
  // First, so that a removal that is cut short leaves nothing that looks whole.
  await rm(place.record, { force: true });
  await context.trash.discard(place.dir);
  await forgetWorktree(mirrorDir(context.workDir, repo), place.tree);
}
