import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RepoRef } from "../../../src/core/job.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { runGit } from "../../support/repository.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

const LOCKS = [
  "packed-refs.lock",
  "shallow.lock",
  "config.lock",
  "HEAD.lock",
  "refs/remotes/origin/main.lock",
  "refs/remotes/origin/next.lock",
  "objects/info/commit-graph.lock",
];
const LOCKED = { name: "TransientError", message: expect.stringContaining("git that was killed") };

function mirrorOf(repo: RepoRef): string {
  return path.join(world.workDir, "mirrors", `${repo.id}.git`);
}

/** Leaves a lock as a git does that is killed, so many seconds ago. */
function leave(file: string, secondsAgo: number): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "");
  const at = Date.now() / 1000 - secondsAgo;
  utimesSync(file, at, at);
}

it("old locks of a git that was killed are removed, and the fetch goes on", async () => {
  const { repo, remote } = world.repository();
  await world.git.fetch(repo, [remote.commit({ "a.txt": "a\n" })], world.token);
  const mirror = mirrorOf(repo);
  const before = remote.commit({ "a.txt": "b\n" });
  remote.commit({ "a.txt": "c\n" }, { branch: "next" });
  for (const name of LOCKS) leave(path.join(mirror, name), 120);
  await world.git.fetch(repo, [before], world.token);
  expect(LOCKS.filter((name) => existsSync(path.join(mirror, name)))).toEqual([]);
  runGit(mirror, "fsck", "--connectivity-only");
});

it("a lock from a moment ago is waited for, and nobody takes the mirror for damaged", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a\n" });
  await world.git.fetch(repo, [sha], world.token);
  const mirror = mirrorOf(repo);
  const lock = path.join(mirror, "refs/remotes/origin/next.lock");
  const next = remote.commit({ "a.txt": "b\n" }, { branch: "next" });
  leave(lock, 1);
  await expect(world.git.fetch(repo, [next], world.token)).rejects.toMatchObject(LOCKED);
  expect(existsSync(lock)).toBe(true);
  rmSync(lock);
  await world.git.fetch(repo, [next], world.token);

  // A job's own ref, where no fetch looks.
  const workspace = await world.open(repo, sha, "job");
  await world.agent(workspace, "echo more >>a.txt");
  const own = path.join(mirror, "refs/draftsmith/jobs/job.lock");
  leave(own, 1);
  const snapshot = () => world.git.snapshot(workspace, repo, sha, "Change it");
  await expect(snapshot()).rejects.toMatchObject(LOCKED);
  leave(own, 120);
  // This try finds it, and removes it for the next.
  await expect(snapshot()).rejects.toMatchObject(LOCKED);
  expect(await snapshot()).toMatchObject({ status: "change" });
  await world.git.close("job", repo);
  const names = readdirSync(path.join(world.workDir, "mirrors"));
  expect(names.filter((name) => name.includes("damaged"))).toEqual([]);
});
