import { readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { git } from "./run-git.ts";
import { unlessAbsent } from "./unless-absent.ts";

/**
 * Registers a locked worktree without files: it shows in `git worktree list` and keeps the commit
 * alive. Its pointer file is the caller's to replace.
 */
export async function registerWorktree(dir: string, tree: string, sha: string, jobId: string) {
  const flags = ["--detach", "--no-checkout", "--lock", "--reason", `job ${jobId}`];
  await git(dir, ["worktree", "add", ...flags, "--", tree, sha]);
}

/** Whether the mirror knows a worktree at this path. */
export async function isRegistered(dir: string, tree: string): Promise<boolean> {
  return (await entriesOf(dir, tree)).length > 0;
}

/**
 * Unlocks and forgets the worktree at this path, in whatever state a killed process left it. The entry
 * is removed as such, because `git worktree prune` would look at the trees of other jobs as well.
 */
export async function forgetWorktree(dir: string, tree: string): Promise<void> {
  for (const entry of await entriesOf(dir, tree)) {
    await rm(path.join(entry, "locked"), { force: true });
    await rm(entry, { recursive: true, force: true });
  }
}

/** Forgets every worktree whose tree is gone, or that a killed process never finished. */
export async function forgetGone(dir: string): Promise<void> {
  for (const { entry, tree } of await registered(dir)) {
    if (tree !== null && (await unlessAbsent(stat(tree))) !== null) continue;
    await rm(entry, { recursive: true, force: true });
  }
}

/** Directories below `worktrees` whose `gitdir` names this tree. */
async function entriesOf(dir: string, tree: string): Promise<string[]> {
  const all = await registered(dir);
  return all.filter((each) => each.tree === tree).map(({ entry }) => entry);
}

/** What the mirror has below `worktrees`, each with the tree its `gitdir` names. */
export async function registered(dir: string): Promise<{ entry: string; tree: string | null }[]> {
  const parent = path.join(dir, "worktrees");
  const names = (await unlessAbsent(readdir(parent))) ?? [];
  return Promise.all(
    names.map(async (name) => {
      const entry = path.join(parent, name);
      const pointer = await unlessAbsent(readFile(path.join(entry, "gitdir"), "utf8"));
      return { entry, tree: pointer === null ? null : path.dirname(pointer.trimEnd()) };
    }),
  );
}
