import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createGit } from "../../../src/adapters/git/git.ts";
import type { RepoRef } from "../../../src/core/job.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { silentLog } from "../../support/log.ts";
import { runGit } from "../../support/repository.ts";
import { smallDisk } from "../../support/small-disk.ts";
import { TEST_USER } from "../../support/workspace.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

const FULL = { name: "TransientError", message: expect.stringContaining("disk is full") };

it("a full disk stops fetch, checkout and snapshot as something that passes, and leaves nothing half made", {
  timeout: 120_000,
}, async () => {
  const disk = smallDisk(60);
  const workDir = path.join(disk.dir, "work");
  const git = createGit({
    workDir,
    sandbox: world.sandbox,
    user: TEST_USER,
    remoteUrl: (repo: RepoRef) => `${world.server.origin}/${repo.owner}/${repo.name}.git`,
    log: silentLog,
  });
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a line\n".repeat(100_000) });
  const open = () => git.open({ jobId: "job", repo, sha, fence: 1, resume: null });
  const below = (name: string) => readdirSync(path.join(workDir, name));

  disk.fill();
  await expect(git.fetch(repo, [sha], world.token)).rejects.toMatchObject(FULL);
  disk.free();
  await git.fetch(repo, [sha], world.token);
  const mirror = path.join(workDir, "mirrors", `${repo.id}.git`);
  const half = () =>
    readdirSync(path.join(mirror, "objects/pack")).filter((name) => /^tmp_/.test(name));
  expect(half()).toEqual([]);

  disk.fill();
  await expect(open()).rejects.toMatchObject(FULL);
  disk.free();
  await vi.waitFor(() => expect([...below("workspaces"), ...below("trash")]).toEqual([]), {
    timeout: 20_000,
  });
  const workspace = await open();

  await world.agent(workspace, "head -c 300000 /dev/urandom >made");
  disk.fill();
  await expect(git.snapshot(workspace, repo, sha, "Make it")).rejects.toMatchObject(FULL);
  disk.free();
  const taken = await git.snapshot(workspace, repo, sha, "Make it");
  expect(taken).toMatchObject({ status: "change", files: [{ path: "made" }] });
  expect(half()).toEqual([]);
  runGit(mirror, "fsck", "--connectivity-only");
  await git.close("job", repo);
});
