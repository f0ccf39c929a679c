import { readdir } from "node:fs/promises";
import path from "node:path";
import type { GitContext } from "./layout.ts";
import { HALF_MADE } from "./mirror.ts";
import { forgetGone } from "./worktrees.ts";

/**
 * Removes the workspaces of jobs that are not in `live`: what a crash left between the end of a job and
 * its removal. Called before any job runs.
 */
export async function sweep(context: GitContext, live: ReadonlySet<string>): Promise<void> {
  const workspaces = path.join(context.workDir, "workspaces");
  await context.trash.empty();
  for (const name of await readdir(workspaces)) {
    if (!live.has(name)) await context.trash.discard(path.join(workspaces, name));
  }
  const mirrors = path.join(context.workDir, "mirrors");
  for (const name of await readdir(mirrors)) {
    const dir = path.join(mirrors, name);
    if (name.endsWith(HALF_MADE)) await context.trash.discard(dir);
    else await forgetGone(dir);
  }
}
