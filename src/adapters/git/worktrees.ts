import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { objectId } from "./names.ts";
import { unlessAbsent } from "./unless-absent.ts";

/** Beginning of a name that the mirror's tidying removes an hour later (`dropLeftovers`). */
const IN_PASSING = "incoming-";

/**
 * Registers a locked worktree without files: it shows in `git worktree list` and keeps the commit alive
 * (gitrepository-layout(5), `worktrees`). The entry comes whole: `git worktree add` writes it file by
 * file, and every git that reads the mirror meanwhile (a fetch, fsck, another add) takes it for damage.
 */
export async function registerWorktree(
  dir: string,
  tree: string,
  sha: string,
  jobId: string,
): Promise<void> {
  const files = {
    HEAD: objectId(sha),
    commondir: "../..",
    gitdir: path.join(tree, ".git"),
    locked: `job ${jobId}`,
  };
  const fresh = path.join(dir, `${IN_PASSING}${randomUUID()}`);
  await mkdir(fresh, { mode: 0o755 });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(fresh, name), `${text}\n`, { mode: 0o644 });
  }
  await mkdir(path.join(dir, "worktrees"), { recursive: true });
  await mkdir(tree, { recursive: true });
  const entry = path.join(dir, "worktrees", jobId);
  // One that names no tree any more, as after a power failure, is found by nobody else.
  await forget(dir, entry);
  await rename(fresh, entry);
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
  for (const entry of await entriesOf(dir, tree)) await forget(dir, entry);
}

/** Forgets every worktree whose tree is gone, or that a killed process never finished. */
export async function forgetGone(dir: string): Promise<void> {
  for (const { entry, tree } of await registered(dir)) {
    if (tree !== null && (await unlessAbsent(stat(tree))) !== null) continue;
    await forget(dir, entry);
  }
}

/** Takes an entry away whole, as it came, so that no git meets half of one. */
export async function forget(dir: string, entry: string): Promise<void> {
  const going = path.join(dir, `${IN_PASSING}${randomUUID()}`);
  await unlessAbsent(rename(entry, going));
  await rm(going, { recursive: true, force: true });
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
