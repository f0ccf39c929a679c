import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { runGit } from "../../support/repository.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

it("removes workspaces that no live job owns, and their registration, and no other", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a\n" });
  const dead = await world.open(repo, sha, "dead");
  const live = await world.open(repo, sha, "live");
  // Each has a uid of its own: limits count by uid.
  expect(dead.uid === null || dead.uid !== live.uid).toBe(true);
  await world.git.sweep(new Set(["live"]));
  expect([existsSync(dead.tree), existsSync(live.tree)]).toEqual([false, true]);
  const listed = runGit(`${world.workDir}/mirrors/${repo.id}.git`, "worktree", "list");
  expect(listed).toContain(live.tree);
  expect(listed).not.toContain(dead.tree);
});

it("removes what an earlier server had no time to remove, and what stands in the way", async () => {
  const trash = path.join(world.workDir, "trash");
  const workspaces = path.join(world.workDir, "workspaces");
  mkdirSync(path.join(trash, "left", "deep"), { recursive: true });
  writeFileSync(path.join(workspaces, "no job's name"), "");
  await world.git.sweep(new Set(["live"]));
  expect(readdirSync(workspaces)).not.toContain("no job's name");
  await vi.waitFor(() => expect(readdirSync(trash)).toEqual([]), { timeout: 10_000 });
});
