import { readdir, readFile, rm } from "node:fs/promises";
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

/** Directories below `worktrees` whose `gitdir` names this tree. */
async function entriesOf(dir: string, tree: string): Promise<string[]> {
  const parent = path.join(dir, "worktrees");
  const found: string[] = [];
  for (const name of (await unlessAbsent(readdir(parent))) ?? []) {
    const entry = path.join(parent, name);
    const pointer = await unlessAbsent(readFile(path.join(entry, "gitdir"), "utf8"));
    if (pointer?.trimEnd() === path.join(tree, ".git")) found.push(entry);
  }
  return found;
}
