import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { RepoRef } from "../../../src/core/job.ts";
import type { Snapshot, Workspace } from "../../../src/core/ports.ts";
import { putFile } from "../../support/agent-workspace.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { runGit } from "../../support/repository.ts";

let world: GitWorld;
let canary: string;
beforeAll(async () => {
  world = await makeGitWorld();
  // Where the sandbox cannot write: only something run on the host could make it.
  canary = path.join(world.root, "canary");
});
afterAll(() => world.close());

let repo: RepoRef;
let sha: string;
let workspace: Workspace;
let scenes = 0;
beforeEach(async () => {
  const made = world.repository();
  repo = made.repo;
  sha = made.remote.commit({ "a.txt": "aaaa\n", "dir/b.txt": "b\n", "AGENTS.md": "Be kind.\n" });
  scenes += 1;
  workspace = await world.open(repo, sha, `hostile-${scenes}`);
});

const TRAP = (command: string) => `[core]
	fsmonitor = ${command}
	hooksPath = /tmp
	sshCommand = ${command}
	pager = ${command}
	editor = ${command}
[filter "e"]
	clean = ${command}
	smudge = ${command}
	process = ${command}
[diff]
	external = ${command}
[diff "e"]
	textconv = ${command}
[merge "e"]
	driver = ${command}
[credential]
	helper = ${command}
[gpg]
	program = ${command}
`;

/** Runs the agent's script and the whole way of the host afterwards; nothing of it may run the trap. */
async function attack(script: string): Promise<Snapshot> {
  const trap = TRAP(`touch ${canary}`);
  await putFile(workspace, "trap.config", trap);
  const said = await world.agent(workspace, `trap=$(cat trap.config); rm trap.config\n${script}`);
  expect(said.stopped).toBe(null);
  const snapshot = await world.git.snapshot(workspace, repo, sha, "Taken");
  if (snapshot.status === "change") {
    await world.git.diff(repo, sha, snapshot.commit, 100_000);
    await world.git.merge(repo, sha, snapshot.commit);
    await world.git.find(repo, snapshot.commit, "a.txt");
    const jobId = `${workspace.jobId}-check`;
    await world.git.open({ jobId, repo, sha: snapshot.commit, fence: 1, resume: null });
    await world.git.close(jobId, repo);
  }
  await world.git.open({ jobId: workspace.jobId, repo, sha, fence: 2, resume: 1 });
  await world.git.close(workspace.jobId, repo);
  expect(existsSync(canary)).toBe(false);
  expect(existsSync(workspace.tree)).toBe(false);
  return snapshot;
}

function paths(snapshot: Snapshot): string[] {
  return snapshot.status === "change" ? snapshot.files.map((file) => file.path) : [snapshot.status];
}

describe("nothing an agent leaves is run on the host", () => {
  it("a .git file that points at another repository", async () => {
    const taken = await attack(`git init -q evil && printf '%s' "$trap" >> evil/.git/config
      mv evil/.git evilgit; rmdir evil; mv evilgit ../home/
      rm -f .git; printf 'gitdir: ../home/evilgit\\n' > .git; echo b > a.txt`);
    expect(paths(taken)).toEqual(["a.txt"]);
  });

  it("a .git that became a directory, or is gone", async () => {
    const taken = await attack(`rm -rf .git; mkdir -p .git/hooks; printf '%s' "$trap" > .git/config
      echo ref: refs/heads/x > .git/HEAD; echo b > a.txt`);
    expect(paths(taken)).toEqual(["a.txt"]);
  });

  it("hooks, attributes and configuration in its own repository and home", async () => {
    const taken =
      await attack(`for name in post-checkout pre-commit reference-transaction post-index-change; do
        mkdir -p ../git/hooks; printf '#!/bin/sh\\ntouch ${canary}\\n' > ../git/hooks/$name; chmod +x ../git/hooks/$name; done
      printf '%s' "$trap" >> ../git/config; printf '%s' "$trap" > ~/.gitconfig
      mkdir -p ../git/info ~/.config/git; echo '* filter=e diff=e merge=e' > ../git/info/attributes
      echo '* filter=e' > ~/.config/git/attributes; echo b > a.txt`);
    expect(paths(taken)).toEqual(["a.txt"]);
  });

  it("filters named in .gitattributes", async () => {
    const taken = await attack(`echo '* filter=e diff=e merge=e ident' > .gitattributes
      printf '%s' "$trap" >> ../git/config; echo bbbb > a.txt`);
    expect(paths(taken)).toEqual([".gitattributes", "a.txt"]);
  });

  it("a nested repository with a file monitor and filters", async () => {
    const taken = await attack(`git init -q sub; cd sub; echo x > x; git add x
      git -c user.name=e -c user.email=e commit -qm x; printf '%s' "$trap" >> .git/config
      echo '* filter=e' > .git/info/attributes; echo y > x`);
    expect(taken).toMatchObject({ status: "refused", reason: expect.stringContaining('"sub"') });
  });

  it("a nested repository without a commit, in the index or buried as a bare one", async () => {
    const empty = await attack(`git init -q sub; printf '%s' "$trap" >> sub/.git/config`);
    expect(empty).toMatchObject({ status: "refused", reason: expect.stringContaining("sub/") });
  });

  it("a bare repository among the files is files and no more", async () => {
    const taken = await attack(
      `git init -q --bare --template= dir/bare; printf '%s' "$trap" >> dir/bare/config`,
    );
    expect(paths(taken)).toEqual(["dir/bare/HEAD", "dir/bare/config"]);
  });

  it("links that lead out are refused, with their names; links inside are kept", async () => {
    const out =
      await attack(`ln -s /etc/passwd etc; ln -s ../../git/config dir/up; ln -s b.txt dir/fine
      ln -s dir/../../x sneaky; rm AGENTS.md; ln -s ../home/x AGENTS.md`);
    const reason = out.status === "refused" ? out.reason : "";
    for (const name of ['"etc"', '"dir/up"', '"sneaky"', '"AGENTS.md"'])
      expect(reason).toContain(name);
    expect(reason).not.toContain("fine");
  });

  it("a directory replaced by a link is taken as a link, and nothing is written through it", async () => {
    const outside = path.join(world.root, "outside");
    const taken = await attack(`rm -r dir; ln -s '${outside}' dir`);
    expect(taken).toMatchObject({ status: "refused", reason: expect.stringContaining('"dir"') });
    expect(existsSync(outside)).toBe(false);
  });

  it("names that look like options, patterns, or no text at all", async () => {
    const taken =
      await attack(`printf x > -rf; printf x > --upload-pack=touch; printf x > ':(exclude)*'
      printf x > "$(printf 'new\\nline')"; printf x > "\\"q' \\$(id)"; printf x > ' lead'
      printf x > "$(printf '\\377\\376')"; printf x > 'ü'; printf x > '@{-1}'`);
    expect(paths(taken)).toEqual([
      " lead",
      "\"q' $(id)",
      "--upload-pack=touch",
      "-rf",
      ":(exclude)*",
      "@{-1}",
      "new\nline",
      "ü",
      "\ufffd\ufffd",
    ]);
  });

  it("names some systems take for .git", async () => {
    for (const name of [
      ".GIT",
      "git~1",
      ".git ",
      ".git.",
      ".g\u200cit",
      ".git::$INDEX_ALLOCATION",
    ]) {
      await putFile(workspace, `${name}/config`, "x");
      const taken = await world.git.snapshot(workspace, repo, sha, "x");
      expect(taken.status, JSON.stringify(name)).toBe("refused");
      await world.agent(workspace, `rm -rf -- ${JSON.stringify(name)}`);
    }
    await attack("true");
  });

  it("a file nobody may read is refused in git's words", async () => {
    const taken = await attack("echo x > shut; chmod 000 shut");
    expect(taken).toMatchObject({ status: "refused", reason: expect.stringContaining("shut") });
  });

  it("a tree closed to its own user", async () => {
    const taken = await attack("echo b > a.txt; mkdir shut; touch shut/x; chmod 000 shut .");
    expect(paths(taken)).toEqual(["a.txt"]);
  });

  it("sockets, pipes and endless names do not stop it", async () => {
    const taken = await attack(`mkfifo pipe; echo b > a.txt
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")' 2>/dev/null || true`);
    expect(paths(taken)).toEqual(["a.txt"]);
  });

  it("the environment of the server reaches no git", async () => {
    const command = `touch ${canary}`;
    const names = ["GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND", "GIT_ASKPASS"];
    const more = ["SSH_ASKPASS", "GIT_PAGER", "PAGER", "EDITOR", "GIT_EDITOR", "GIT_TRACE"];
    for (const name of [...names, ...more]) vi.stubEnv(name, command);
    for (const name of ["GIT_DIR", "GIT_WORK_TREE", "GIT_EXEC_PATH", "GIT_INDEX_FILE"]) {
      vi.stubEnv(name, "/nonexistent");
    }
    vi.stubEnv("GIT_CONFIG_PARAMETERS", `'core.fsmonitor=${command}' 'diff.external=${command}'`);
    try {
      expect(paths(await attack("echo b > a.txt"))).toEqual(["a.txt"]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("processes left behind write nothing afterwards", async () => {
    await world.agent(
      workspace,
      "echo b > a.txt; (setsid sh -c 'sleep 0.5; echo late > late.txt' &) ; true",
    );
    const taken = await world.git.snapshot(workspace, repo, sha, "x");
    expect(paths(taken)).toEqual(["a.txt"]);
    const done = await world.agent(workspace, "sleep 1; ls");
    expect(done.output).not.toContain("late.txt");
  });

  it("leaves the mirror as it was when a change is refused", async () => {
    const mirror = path.join(world.workDir, "mirrors", `${repo.id}.git`);
    const objects = () => runGit(mirror, "count-objects", "-v");
    const refs = () => runGit(mirror, "for-each-ref");
    const before = [objects(), refs(), readdirSync(mirror).sort().join()];
    expect((await attack("ln -s / root; head -c 100000 /dev/urandom > noise")).status).toBe(
      "refused",
    );
    expect([objects(), refs()]).toEqual(before.slice(0, 2));
    expect(readFileSync(path.join(mirror, "config"), "utf8")).not.toContain("canary");
  });
});
