import { execFile } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TransientError } from "../../../src/core/errors.ts";
import type { RepoRef } from "../../../src/core/job.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { runGit } from "../../support/repository.ts";
import { TEST_USER } from "../../support/workspace.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

function mirror(repo: RepoRef): string {
  return path.join(world.workDir, "mirrors", `${repo.id}.git`);
}

function worktrees(repo: RepoRef): string {
  return runGit(mirror(repo), "worktree", "list", "--porcelain");
}

describe("open", () => {
  it("gives the agent a clean checkout with a repository of its own", async () => {
    const { repo, remote } = world.repository();
    remote.commit({ "a.txt": "a\n" }, { branch: "topic" });
    const sha = remote.commit({ "run.sh": { executable: "#!/bin/sh\n" }, "dir/b.txt": "b\n" });
    const workspace = await world.open(repo, sha, "clean");
    expect(workspace.resumed).toBe(false);
    const said = await world.agent(
      workspace,
      `git status --short --branch; git log --oneline | wc -l; git branch -a --format='%(refname)'
       cat dir/b.txt; test -x run.sh && echo executable; git remote -v
       git config user.email; git blame --porcelain dir/b.txt | grep -c '^author Ada'
       echo x >> dir/b.txt && git commit -qam mine && git stash list && git log --oneline | wc -l`,
    );
    expect(said.output.split("\n").map((line) => line.trim())).toEqual([
      "## work",
      "2",
      "refs/heads/work",
      "refs/remotes/origin/main",
      "refs/remotes/origin/topic",
      "b",
      "executable",
      "draftsmith@noreply.invalid",
      "1",
      "3",
      "",
    ]);
    expect(worktrees(repo)).toContain(
      `worktree ${workspace.tree}\nHEAD ${sha}\ndetached\nlocked job clean`,
    );
  });

  it("keeps mirror, bookkeeping and other jobs out of the agent's reach", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    const other = world.repository();
    const otherSha = other.remote.commit({ "secret.txt": "theirs\n" });
    await world.open(other.repo, otherSha, "neighbour");
    const workspace = await world.open(repo, sha, "kept-out");
    const dir = path.dirname(workspace.tree);
    const tried = [
      `cat '${mirror(repo)}/config'`,
      `ls '${mirror(repo)}/worktrees'`,
      `touch '${mirror(repo)}/objects/evil'`,
      `cat '${dir}/opened'`,
      `ls '${world.workDir}/workspaces/neighbour/tree'`,
      `ls '${mirror(other.repo)}/objects'`,
      `sh -c 'echo ${mirror(other.repo)}/objects > ${dir}/git/objects/info/alternates' && git cat-file -p ${otherSha}`,
    ];
    for (const script of tried) {
      const said = await world.agent(workspace, script);
      expect(said.exitCode, `${script}: ${said.output}`).not.toBe(0);
      expect(said.output).not.toContain("theirs");
    }
    const index = readFileSync(path.join(dir, "base.index"));
    const planting = `mkdir -p '${mirror(repo)}/hooks'; cd '${dir}'; touch planted; echo 1 >base.index`;
    await world.agent(workspace, planting);
    expect(readFileSync(path.join(dir, "base.index"))).toEqual(index);
    expect(readdirSync(mirror(repo))).not.toContain("hooks");
    expect(readdirSync(dir)).not.toContain("planted");
    expect(readFileSync(path.join(dir, "opened"), "utf8")).toMatch(
      new RegExp(`^${repo.id} ${sha}( |$)`),
    );
    if (TEST_USER === null) return;
    expect(workspace.uid).not.toBe(TEST_USER.uid);
    expect(statSync(workspace.tree).uid).toBe(workspace.uid);
    expect(statSync(path.join(workspace.tree, "a.txt")).uid).toBe(workspace.uid);
    // Others of the machine stay out, whatever the umask of the server is.
    for (const outer of [world.workDir, path.dirname(mirror(repo)), dir]) {
      expect(statSync(outer).mode & 0o777, outer).toBe(0o710);
    }
  });

  it("works on files whatever their names, links, submodules and pointers are", async () => {
    const { repo, remote } = world.repository();
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"1".repeat(64)}\nsize 9\n`;
    remote.commit({
      ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n*.txt filter=evil\n",
      ".gitmodules": '[submodule "lib"]\n\tpath = lib\n\turl = ../lib.git\n',
      ".vscode/settings.json": "{}\n",
      "big.bin": pointer,
      "a b/ünï 'quoted' \"x\".txt": "names\n",
      "new\nline": "line\n",
      "-rf": "dash\n",
      ":(exclude)x": "magic\n",
      link: { link: "a b" },
      broken: { link: "nowhere" },
    });
    remote.git("update-index", "--add", "--cacheinfo", `160000,${"2".repeat(40)},lib`);
    remote.git("commit", "-q", "-m", "A submodule");
    remote.git("push", "-q", "--force", remote.bare, "HEAD:refs/heads/main");
    const sha = remote.git("rev-parse", "HEAD");
    const workspace = await world.open(repo, sha, "names");
    const said = await world.agent(workspace, "git status --short; cat big.bin; ls -A lib | wc -l");
    expect(said.output).toBe(`${pointer}0\n`);
    expect(readFileSync(path.join(workspace.tree, "a b/ünï 'quoted' \"x\".txt"), "utf8")).toBe(
      "names\n",
    );
    expect(readdirSync(workspace.tree)).toContain("new\nline");
    expect(await world.git.snapshot(workspace, repo, sha, "Nothing")).toEqual({ status: "empty" });
  });

  it("takes up an intact workspace again, and only that", async () => {
    const { repo, remote } = world.repository();
    const first = remote.commit({ "a.txt": "a\n" });
    const sha = remote.commit({ "a.txt": "b\n" });
    const workspace = await world.open(repo, sha, "again");
    await world.agent(workspace, "echo mine > mine.txt; touch ../git/index.lock");
    let fence = 1;
    const reopen = async (at: string, resume: number | null = fence) => {
      const opened = await world.git.open({
        jobId: "again",
        repo,
        sha: at,
        fence: ++fence,
        resume,
      });
      // It keeps the name of the claim that made it.
      if (opened.resumed) fence -= 1;
      return opened;
    };
    expect((await reopen(sha)).resumed).toBe(true);
    expect((await world.agent(workspace, "git add mine.txt")).exitCode).toBe(0);
    expect(existsSync(path.join(workspace.tree, "mine.txt"))).toBe(true);
    expect((await reopen(first)).resumed).toBe(false);
    expect(existsSync(path.join(workspace.tree, "mine.txt"))).toBe(false);
    expect((await reopen(first, null)).resumed).toBe(false);
    // Opened by an attempt that lost its claim: another went on elsewhere since.
    expect((await reopen(first, fence - 1)).resumed).toBe(false);
    // A checkout that never came to its end.
    writeFileSync(path.join(path.dirname(workspace.tree), "opened"), "");
    expect((await reopen(first)).resumed).toBe(false);
    // A mirror that was cloned again knows nothing of the workspace.
    rmSync(path.join(mirror(repo), "worktrees"), { recursive: true });
    expect((await reopen(first)).resumed).toBe(false);
    expect(worktrees(repo).match(/^worktree .*again\/tree$/gm)).toHaveLength(1);
  });

  it("opens two workspaces of one mirror side by side", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    await world.git.fetch(repo, [sha], world.token);
    const [left, right] = await Promise.all(
      ["left", "right"].map((jobId) =>
        world.git.open({ jobId, repo, sha, fence: 1, resume: null }),
      ),
    );
    if (!left || !right) throw new Error("two were opened");
    await Promise.all([left, right].map((each) => world.agent(each, `echo ${each.jobId} > a.txt`)));
    const taken = await Promise.all(
      [left, right].map((each) => world.git.snapshot(each, repo, sha, each.jobId)),
    );
    const commits = taken.map((each) => (each.status === "change" ? each.commit : ""));
    expect(await world.git.file(repo, commits[0] ?? "", "a.txt", 100)).toBe("left\n");
    expect(await world.git.file(repo, commits[1] ?? "", "a.txt", 100)).toBe("right\n");
    await world.git.close("left", repo);
    expect(readFileSync(path.join(right.tree, "a.txt"), "utf8")).toBe("right\n");
    expect(worktrees(repo)).not.toContain("left");
    expect(worktrees(repo)).toContain(right.tree);
  });

  it("never leaves the mirror half written for another git to read", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    await world.git.fetch(repo, [sha], world.token);
    let open = true;
    const reader = (async () => {
      const complaints: string[] = [];
      const run = promisify(execFile);
      for (let times = 0; open || times === 0; times += 1) {
        const checks = ["fsck --connectivity-only", "worktree list"];
        const check = (checks[times % 2] ?? "").split(" ");
        await run("git", [`--git-dir=${mirror(repo)}`, ...check]).catch((failed: Error) => {
          // One that went meanwhile is no damage: the next look finds nothing.
          const named = /worktrees\/many-\d/.exec(failed.message)?.[0];
          if (named === undefined || existsSync(path.join(mirror(repo), named)))
            complaints.push(failed.message);
        });
      }
      return complaints;
    })();
    const fetches = (async () => {
      for (let times = 0; open; times += 1) {
        const next = remote.commit({ "a.txt": `${times}\n` });
        await world.git.fetch(repo, [next], world.token);
      }
    })();
    const many = Array.from({ length: 8 }, (_, at) => `many-${at}`);
    await Promise.all(
      many.map(async (jobId) => {
        await world.git.open({ jobId, repo, sha, fence: 1, resume: null });
        await world.git.close(jobId, repo);
      }),
    ).finally(() => {
      open = false;
    });
    await fetches;
    expect(await reader).toEqual([]);
    expect(existsSync(`${mirror(repo)}.damaged`)).toBe(false);
  });

  it("opens a job whose registration was left without its words", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    await world.open(repo, sha, "emptied");
    // As after a power failure: the file is there, and nothing in it.
    writeFileSync(path.join(mirror(repo), "worktrees/emptied/gitdir"), "");
    const again = await world.open(repo, sha, "emptied");
    expect(again.resumed).toBe(false);
    expect(worktrees(repo)).toContain(`worktree ${again.tree}\n`);
  });

  it("leaves it to the next try when the mirror is set aside meanwhile", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    await world.git.fetch(repo, [sha], world.token);
    // As another job does that finds it damaged.
    const from = async () => {
      renameSync(mirror(repo), `${mirror(repo)}.damaged`);
      return null;
    };
    const opened = world.git.open({ jobId: "anew", repo, sha, from, fence: 1, resume: null });
    await expect(opened).rejects.toBeInstanceOf(TransientError);
    await expect(opened).rejects.toThrow(/cloned again meanwhile/);
    expect(existsSync(path.join(world.workDir, "workspaces/anew"))).toBe(false);
    expect((await world.open(repo, sha, "anew")).resumed).toBe(false);
  });

  it("refuses a tree of billions of files before it writes one", async () => {
    const { repo, remote } = world.repository();
    remote.commit({ leaf: "x" });
    let entry = `100644 blob ${remote.git("rev-parse", "HEAD:leaf")}`;
    for (let level = 0; level < 8; level += 1) {
      const lines = Array.from({ length: 20 }, (_, at) => `${entry}\tn${at}\n`);
      entry = `040000 tree ${remote.tree(lines.join(""))}`;
    }
    const tree = entry.split(" ")[2] ?? "";
    const sha = runGit(remote.bare, "commit-tree", tree, "-m", "bomb");
    runGit(remote.bare, "update-ref", "refs/heads/bomb", sha);
    await expect(world.open(repo, sha, "bomb")).rejects.toThrow(/more than 200,000 files/);
    expect(existsSync(path.join(world.workDir, "workspaces/bomb"))).toBe(false);
    expect(worktrees(repo)).not.toContain("bomb");
  });
});

describe("close", () => {
  it("leaves nothing but the result, from any state, as often as it is called", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    await world.git.close("never-opened", repo);
    const workspace = await world.open(repo, sha, "closing");
    const made = await world.agent(
      workspace,
      `echo b > a.txt; mkdir -p closed/in && touch closed/in/x "$(printf '\\377\\376')"
       (for i in $(seq 1 60); do mkdir $(printf 'd%.0s' $(seq 1 100)) && cd $(printf 'd%.0s' $(seq 1 100)); done)
       true`,
    );
    expect(made.output).toBe("");
    const taken = await world.git.snapshot(workspace, repo, sha, "Changed");
    expect(taken.status).toBe("change");
    await world.agent(workspace, "chmod 000 closed/in closed; rm -f .git; ln -s / out");
    for (let times = 0; times < 2; times += 1) await world.git.close("closing", repo);
    expect(existsSync(path.join(world.workDir, "workspaces/closing"))).toBe(false);
    expect(worktrees(repo)).not.toContain("closing");
    const kept = runGit(mirror(repo), "rev-parse", "refs/draftsmith/jobs/closing");
    expect(taken).toMatchObject({ commit: kept });
  });

  it("refuses an id that is a way to somewhere else", async () => {
    const { repo } = world.repository();
    for (const jobId of ["..", "../x", "a/b", "", "-x"]) {
      await expect(world.git.close(jobId, repo)).rejects.toThrow("not a job id");
    }
  });
});
