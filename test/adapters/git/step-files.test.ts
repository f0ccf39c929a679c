import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGit } from "../../../src/adapters/git/git.ts";
import type { RepoRef } from "../../../src/core/job.ts";
import type { Workspace } from "../../../src/core/ports.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { silentLog } from "../../support/log.ts";
import { runGit } from "../../support/repository.ts";
import { TEST_USER } from "../../support/workspace.ts";

const MB = 1024 * 1024;
let world: GitWorld;
/** The same program with another data directory. */
let elsewhere: GitWorld["git"];
beforeAll(async () => {
  world = await makeGitWorld();
  const { sandbox, server } = world;
  const remoteUrl = (repo: RepoRef) => `${server.origin}/${repo.owner}/${repo.name}.git`;
  const workDir = `${world.root}/other`;
  elsewhere = createGit({ workDir, sandbox, user: TEST_USER, remoteUrl, log: silentLog });
});
afterAll(() => world.close());

const request = (workspace: Workspace, repo: RepoRef, parent: string, known: string | null) => ({
  ...{ workspace, repo, parent, known },
  maxBytes: MB,
});

async function packed(workspace: Workspace, repo: RepoRef, sha: string) {
  const taken = await world.git.pack(request(workspace, repo, sha, null));
  if (taken.status !== "packed") throw new Error(JSON.stringify(taken));
  return taken;
}

describe("the files of a step", () => {
  it("stand in a workspace of another data directory as they stood in the first", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({
      "edit.txt": "one\n",
      "gone.txt": "gone\n",
      ".gitignore": "out/\n",
    });
    const first = await world.open(repo, sha, "step-1");
    await world.agent(
      first,
      "echo two >> edit.txt; rm gone.txt; mkdir -p 'a b' out; echo x > out/x; echo '#!' > 'a b/run'; chmod +x 'a b/run'; ln -s edit.txt link",
    );
    const { tree, commit, pack } = await packed(first, repo, sha);
    expect(await world.git.pack(request(first, repo, sha, tree))).toEqual({ status: "same" });

    expect(await elsewhere.mirrors()).toEqual([]);
    await elsewhere.fetch(repo, [sha], world.token);
    expect(await elsewhere.mirrors()).toEqual([repo.id]);
    const ids = { jobId: "step-1", repo };
    expect(await elsewhere.unpack({ ...ids, parent: sha, commit, pack })).toBe(true);
    const from = async () => commit;
    const second = await elsewhere.open({ ...ids, sha, from, fence: 2, resume: 1 });
    expect(second.resumed).toBe(false);
    const seen = await world.agent(
      second,
      "git status --short; git rev-parse HEAD; ./'a b/run'; cat link",
    );
    expect(seen.output).toBe(` M edit.txt\n D gone.txt\n?? "a b/"\n?? link\n${sha}\none\ntwo\n`);
    const taken = await elsewhere.snapshot(second, repo, sha, "Title");
    expect(taken).toMatchObject({ status: "change", tree });
    // It goes on there: what it does next is seen, and a clean tree is one, too.
    await world.agent(second, "git reset -q --hard; git clean -qfd");
    const clean = await elsewhere.pack(request(second, repo, sha, tree));
    expect(clean.status).toBe("packed");
    expect(await elsewhere.snapshot(second, repo, sha, "Title")).toEqual({ status: "empty" });
  });

  it("are not taken for what they are not: a pack cut short, of something else, or too large", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    const workspace = await world.open(repo, sha, "step-2");
    await world.agent(workspace, "head -c 3000000 /dev/urandom > big");
    expect(await world.git.pack(request(workspace, repo, sha, null))).toMatchObject({
      status: "refused",
    });
    await world.agent(workspace, "rm big; echo b > a.txt");
    const { commit, pack } = await packed(workspace, repo, sha);
    await elsewhere.fetch(repo, [sha], world.token);
    const ids = { jobId: "step-2", repo, parent: sha };
    const half = pack.subarray(0, pack.length - 30);
    expect(await elsewhere.unpack({ ...ids, commit, pack: half })).toBe(false);
    const other = commit.replace(/^../, "00");
    expect(await elsewhere.unpack({ ...ids, commit: other, pack })).toBe(false);
    expect(await elsewhere.unpack({ ...ids, commit, pack })).toBe(true);
  });

  it("of a verified change are the very commit", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    const workspace = await world.open(repo, sha, "step-3");
    await world.agent(workspace, "echo b > a.txt");
    const taken = await world.git.snapshot(workspace, repo, sha, "Title\n\nBody.");
    if (taken.status !== "change") throw new Error("nothing was taken");
    const { commit } = taken;
    const pack = await world.git.packCommit(repo, commit, sha);
    await elsewhere.fetch(repo, [sha], world.token);
    expect(await elsewhere.changed(repo, commit)).toBeNull();
    const brought = { jobId: "step-3", repo, parent: sha, commit, pack };
    expect(await elsewhere.unpack(brought)).toBe(true);
    expect(await elsewhere.changed(repo, commit)).toMatchObject([{ path: "a.txt" }]);
  });
});

describe("files that are sealed", () => {
  it("go by a private ref to another data directory, and only the key opens them", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    await world.git.fetch(repo, [sha], world.token);
    const bytes = Buffer.from("nobody looked at this yet\n".repeat(2000));
    const ref = "refs/draftsmith/wip/step-9/0";
    const sealed = await world.git.withSealed(repo, bytes, async (made) => {
      await world.git.pushRef(repo, made.commit, ref, world.server.token);
      return made;
    });
    const there = (...args: string[]) => runGit(remote.bare, ...args);
    expect(there("ls-tree", "-r", "--name-only", sealed.commit)).toBe("files");
    expect(there("cat-file", "-p", `${sealed.commit}:files`)).not.toContain("nobody");
    expect(there("for-each-ref", "--format=%(refname)", "refs/heads")).toBe("refs/heads/main");
    const mirror = path.join(world.workDir, "mirrors", `${repo.id}.git`);
    expect(() => runGit(mirror, "cat-file", "-e", sealed.commit)).toThrow();

    await elsewhere.fetch(repo, [sealed.commit], world.token);
    const key = Buffer.alloc(32).toString("base64");
    expect(await elsewhere.unseal(repo, { ...sealed, key })).toBeNull();
    expect(await elsewhere.unseal(repo, sealed)).toEqual(bytes);
  });
});
