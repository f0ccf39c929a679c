import { readdir } from "node:fs/promises";
import path from "node:path";
import { type GitContext, placeOf, removeAll } from "./layout.ts";
import { forgetGone } from "./worktrees.ts";

/**
 * Removes the workspaces of jobs that are not in `live`: what a crash left between the end of a job and
 * its removal. Called before any job runs.
 */
export async function sweep(context: GitContext, live: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(path.join(context.workDir, "workspaces"))) {
    if (!live.has(name)) await removeAll(placeOf(context.workDir, name).dir);
  }
  const mirrors = path.join(context.workDir, "mirrors");
  for (const name of await readdir(mirrors)) await forgetGone(path.join(mirrors, name));
}
