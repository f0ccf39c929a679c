import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
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
