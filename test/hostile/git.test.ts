import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createGit } from "../../src/adapters/git/git.ts";
import type { RepoRef } from "../../src/core/job.ts";
import type { Sandbox, Snapshot, Workspace } from "../../src/core/ports.ts";
import { putFile } from "../support/agent-workspace.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { silentLog } from "../support/log.ts";
import { type Remote, runGit } from "../support/repository.ts";
import { TEST_USER } from "../support/workspace.ts";

let world: GitWorld;
/** A file that only a program started outside the sandbox can make. */
let canary: string;
let repo: RepoRef;
let remote: Remote;
let sha: string;
let workspace: Workspace;
let mirror: string;
let scenes = 0;

beforeAll(async () => {
  world = await makeGitWorld();
  canary = path.join(world.root, "canary");
});

afterAll(() => world.close());

beforeEach(async () => {
  const made = world.repository();
  ({ repo, remote } = made);
  sha = remote.commit({ "a.txt": "aaaa\n", "dir/b.txt": "b\n", "AGENTS.md": "Be kind.\n" });
  scenes += 1;
  workspace = await world.open(repo, sha, `attack-${scenes}`);
  mirror = path.join(world.workDir, "mirrors", `${repo.id}.git`);
});

/** Configuration in which every key that runs a program runs `command`. */
const trap = (command: string) => `[core]
	fsmonitor = ${command}
	hooksPath = /tmp
	sshCommand = ${command}
	gitProxy = ${command}
	askPass = ${command}
	pager = ${command}
	editor = ${command}
	attributesFile = /tmp/attributes
[filter "e"]
	clean = ${command}
	smudge = ${command}
	process = ${command}
	required = false
[diff]
	external = ${command}
[diff "e"]
	textconv = ${command}
	command = ${command}
[merge]
	default = e
[merge "e"]
	driver = ${command} %A
[credential]
	helper = "!${command}"
[gpg]
	program = ${command}
[pager]
	diff-tree = ${command}
	ls-tree = ${command}
[alias]
	ls-tree = "!${command}"
[uploadpack]
	packObjectsHook = ${command}
[remote "origin"]
	url = ext::sh -c ${command}
	uploadpack = ${command}
	vcs = ext
[protocol "ext"]
	allow = always
[trailer "x"]
	cmd = ${command}
[submodule "s"]
	update = "!${command}"
`;

/** What a job goes through on the host once an agent is done: nothing of it may run the trap. */
async function wholeWay(): Promise<Snapshot> {
  const { git } = world;
  const snapshot = await git.snapshot(workspace, repo, sha, "Taken");
  if (snapshot.status === "change") {
    await git.diff(repo, sha, snapshot.commit, 100_000);
    await git.merge(repo, snapshot.commit, await conflicting());
    await git.find(repo, snapshot.commit, "a.txt");
    await git.file(repo, snapshot.commit, "AGENTS.md", 1000);
    const check = `${workspace.jobId}-check`;
    await git.open({ jobId: check, repo, sha: snapshot.commit, fence: 1, resume: null });
    await git.close(check, repo);
    await git.pushRef(repo, snapshot.commit, "refs/draftsmith/x", await world.token());
  }
  await git.open({ jobId: workspace.jobId, repo, sha, fence: 2, resume: 1 });
  await git.close(workspace.jobId, repo);
  return snapshot;
}

/** A commit of the repository that changes a.txt in another way. */
async function conflicting(): Promise<string> {
  const other = remote.commit({ "a.txt": "another\n" }, { branch: "other" });
  await world.git.fetch(repo, [other], world.token);
  return other;
}

/** Runs the agent's script, with the trap in `$trap`, and then the whole way of the host. */
async function attack(script: string): Promise<Snapshot> {
  await putFile(workspace, "trap.config", trap(`touch ${canary}`));
  const said = await world.agent(workspace, `trap=$(cat trap.config); rm trap.config\n${script}`);
  expect(said.stopped).toBe(null);
  const taken = await wholeWay().catch((error: unknown) => ({
    status: "refused" as const,
    reason: String(error),
  }));
  // Whatever became of it: nothing ran.
  expect(existsSync(canary)).toBe(false);
  return taken;
}

const paths = (taken: Snapshot) =>
  taken.status === "change" ? taken.files.map((file) => file.path) : [taken.status];

function changeOf(taken: Snapshot) {
  if (taken.status !== "change") throw new Error(reasonOf(taken));
  return taken;
}

const reasonOf = (taken: Snapshot) => (taken.status === "refused" ? taken.reason : taken.status);

/** Plants something in the mirror as somebody who could write there. */
function plant(name: string, text: string, mode = 0o755): void {
  mkdirSync(path.dirname(path.join(mirror, name)), { recursive: true });
  writeFileSync(path.join(mirror, name), text, { mode });
}

/** What `work` comes to, with the most memory, in MB, that a git of this process had at a time. */
async function largestGit<T>(work: () => Promise<T>): Promise<{ result: T; mb: number }> {
  let kb = 0;
  const look = () => {
    for (const task of readdirSync("/proc/self/task")) {
      for (const pid of textOf(`/proc/self/task/${task}/children`).split(" ").filter(Boolean)) {
        const [, comm, most] =
          /^Name:\t(\w+)[\s\S]*^VmHWM:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`)) ?? [];
        if (comm === "git") kb = Math.max(kb, Number(most));
      }
    }
  };
  const timer = setInterval(look, 5);
  try {
    return { result: await work(), mb: kb / 1024 };
  } finally {
    clearInterval(timer);
  }
}

/** Empty when it is gone. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

describe("what an agent leaves in its tree", () => {
  it("git-01 the .git file points at a repository with a trap", async () => {
    const taken =
      await attack(`git init -q ../home/evil; printf '%s' "$trap" >>../home/evil/.git/config
      rm -f .git || true; echo "gitdir: $HOME/evil/.git" >.git; echo bbbb >a.txt; echo '* filter=e' >.gitattributes`);
    expect(paths(taken)).toContain("a.txt");
  });

  it("git-02 hooks, attributes and configuration lie in its own repository and home", async () => {
    const taken = await attack(`
      for name in post-checkout pre-commit post-commit reference-transaction post-index-change pre-auto-gc fsmonitor-watchman pre-push; do
        mkdir -p ../git/hooks; printf '#!/bin/sh\\ntouch ${canary}\\n' >../git/hooks/$name; chmod +x ../git/hooks/$name; done
      printf '%s' "$trap" >>../git/config; printf '%s' "$trap" >~/.gitconfig; mkdir -p ~/.config/git ../git/info
      printf '%s' "$trap" >~/.config/git/config; echo '* filter=e diff=e merge=e' | tee ../git/info/attributes >~/.config/git/attributes
      printf '[extensions]\\n\\tworktreeConfig = true\\n' >>../git/config; printf '%s' "$trap" >../git/config.worktree; echo bbbb >a.txt`);
    expect(paths(taken)).toEqual(["a.txt"]);
  });

  it("git-03 the .git file becomes a directory, and commondir leads elsewhere", async () => {
    const taken =
      await attack(`rm -rf .git 2>/dev/null; mkdir -p ../home/common; git init -q --bare ../home/common; printf '%s' "$trap" >>../home/common/config
      echo "$HOME/common" >../git/commondir; echo ref: refs/heads/x >../git/HEAD; printf '%s' "$trap" >>../git/config; echo bbbb >a.txt`);
    expect(paths(taken)).toEqual(["a.txt"]);
  });

  it("git-04 attributes name filters, text conversions and merge drivers", async () => {
    const taken =
      await attack(`echo '* filter=e diff=e merge=e ident export-subst' | tee .gitattributes >dir/.gitattributes
      printf '%s' "$trap" >>../git/config; echo bbbb >a.txt`);
    expect(paths(taken)).toEqual([".gitattributes", "a.txt", "dir/.gitattributes"]);
  });

  it("git-05 a nested repository has a file monitor, filters and a commit", async () => {
    const taken =
      await attack(`git init -q sub; cd sub; echo xxxx >x; git add x; git -c user.name=e -c user.email=e commit -qm x
      printf '%s' "$trap" >>.git/config; echo '* filter=e' >.git/info/attributes; echo yyyy >x; cd ..; git add sub 2>/dev/null; true`);
    expect(reasonOf(taken)).toContain('"sub"');
  });

  it("git-06 a submodule is added with a command to update it, and one is pointed elsewhere", async () => {
    const inner = runGit(remote.bare, "rev-parse", "main");
    remote.git("update-index", "--add", "--cacheinfo", `160000,${inner},vendor`);
    writeFileSync(path.join(remote.git("rev-parse", "--show-toplevel"), "vendor.txt"), "x\n");
    remote.git("commit", "-qm", "With a submodule");
    remote.git("push", "-q", remote.bare, "HEAD:refs/heads/main");
    sha = remote.git("rev-parse", "HEAD");
    workspace = await world.open(repo, sha, `submodule-${scenes}`);
    const taken =
      await attack(`printf '[submodule "s"]\\n\\tpath = vendor\\n\\turl = -u./evil\\n\\tupdate = !touch ${canary}\\n' >.gitmodules
      rmdir vendor; git init -q vendor; cd vendor; echo x >x; git add x; git -c user.name=e -c user.email=e commit -qm x; printf '%s' "$trap" >>.git/config; true`);
    expect(reasonOf(taken)).toMatch(/"vendor"|\.gitmodules|gitmodules/);
  });

  it("git-07 links lead out of the tree: absolute, upwards, through each other, in place of files the server reads", async () => {
    const taken =
      await attack(`ln -s /etc/passwd etc; ln -s ../../git/config dir/up; ln -s dir d; ln -s d/../../x sneaky
      rm AGENTS.md; ln -s ../home/x AGENTS.md; rm -r dir/b.txt; ln -s '${world.root}' dir/b.txt`);
    const reason = reasonOf(taken);
    for (const name of ["etc", "dir/up", "sneaky", "AGENTS.md", "dir/b.txt"])
      expect(reason).toContain(`"${name}"`);
  });

  it("git-08 names pass for .git on some systems", async () => {
    const names = [
      ".GIT",
      "git~1",
      ".git ",
      ".git.",
      ".g\u200cit",
      ".git::$INDEX_ALLOCATION",
      "dir/.Git",
      "dir/GIT~1",
    ];
    for (const name of names) {
      await putFile(workspace, `${name}/hooks/post-checkout`, "#!/bin/sh\n");
      const taken = await world.git.snapshot(workspace, repo, sha, "x");
      expect(taken.status, JSON.stringify(name)).toBe("refused");
      const gone = await world.agent(workspace, `rm -rf -- ${JSON.stringify(name)}`);
      expect(gone.exitCode).toBe(0);
    }
  });

  it("git-09 names look like options, patterns, or no text at all", async () => {
    const names = [
      "-rf",
      "--upload-pack=touch x",
      ":(exclude)*",
      ":x",
      "new\nline",
      "\"q' $(id)",
      " lead",
      "@{-1}",
      "HEAD",
      "a\tb",
    ];
    const script = names.map((_, at) => `printf x >"$\{${at + 1}}"`).join("; ");
    const said = await world.sandbox.run({
      workspace,
      script: `${script}; printf x >"$(printf '\\377\\376')"`,
      args: names,
      timeoutMs: 60_000,
      maxOutputBytes: 10_000,
    });
    expect(said.exitCode).toBe(0);
    const taken = await wholeWay();
    expect(paths(taken).sort()).toEqual([...names, "\ufffd\ufffd"].sort());
  });

  it("git-10 its index hides what it changed", async () => {
    const taken =
      await attack(`git update-index --skip-worktree a.txt; git update-index --assume-unchanged dir/b.txt
      git config core.sparseCheckout true; mkdir -p ../git/info; echo /nothing >../git/info/sparse-checkout
      git update-index --split-index; git config core.ignoreStat true; git config core.trustctime false
      echo '*.txt' >>../git/info/exclude; stamp=$(stat -c %Y a.txt); echo bbbb >a.txt; touch -d "@$stamp" a.txt
      echo c >>dir/b.txt; echo new >new.txt; git add -N new.txt; git rm -q --cached AGENTS.md`);
    expect(paths(taken)).toEqual(["a.txt", "dir/b.txt", "new.txt"]);
  });

  it("git-11 its trees cannot be entered, its files are pipes and holes of 101 MB", async () => {
    const pipe = await attack(
      "rm a.txt; mkfifo a.txt pipe; mkdir shut; touch shut/x; chmod 000 shut .",
    );
    expect(reasonOf(pipe)).toContain("could not read");
    expect(existsSync(workspace.tree)).toBe(false);
    workspace = await world.open(repo, sha, `hole-${scenes}`);
    const hole = await attack("truncate -s 101M hole");
    expect(reasonOf(hole)).toMatch(/100 MB|larger than/);
  });

  it("git-12 what it leaves is removed through links that lead to others' files", async () => {
    const outside = path.join(world.root, `outside-${scenes}`);
    mkdirSync(outside);
    writeFileSync(path.join(outside, "precious"), "precious\n", { mode: 0o666 });
    const taken =
      await attack(`ln -s '${outside}' away; mkdir d; ln -s '${outside}' d/away; ln -s '${outside}' ../home/away
      ln -s '${outside}' ../tmp/away; rm -rf ../git/index.lock; ln -s '${outside}' ../git/index.lock; chmod 000 d`);
    expect(taken.status).toBe("refused");
    expect(readdirSync(outside)).toEqual(["precious"]);
    expect(lstatSync(outside).mode & 0o777).toBe(0o755);
    expect(existsSync(workspace.tree)).toBe(false);
  });

  it("git-13 it reads other repositories' objects through alternates", async () => {
    const other = world.repository();
    const secret = other.remote.commit({ "secret.txt": "the other's secret\n" });
    await world.git.fetch(other.repo, [secret], world.token);
    const objects = path.join(world.workDir, "mirrors", `${other.repo.id}.git`, "objects");
    const said = await world.agent(
      workspace,
      `echo '${objects}' >>../git/objects/info/alternates; git cat-file -p ${secret}:secret.txt; git cat-file -t ${secret}
       ls '${path.dirname(objects)}' '${path.dirname(path.dirname(objects))}' '${mirror}'; cat '${mirror}/config' '${mirror}/packed-refs'
       echo evil >'${mirror}/objects/evil'; echo evil >'${mirror}/objects/pack/evil.pack'; true`,
    );
    expect(said.output).not.toMatch(/other's secret|^commit$|repositoryformatversion|refs\/heads/m);
    expect(readdirSync(path.join(mirror, "objects"))).not.toContain("evil");
  });

  it("git-27 twenty-four million lines with nothing in them, to be counted", async () => {
    await world.agent(workspace, "yes '' | head -c 24M >lines.txt");
    const { result, mb } = await largestGit(() => world.git.snapshot(workspace, repo, sha, "x"));
    expect(result).toMatchObject({ status: "change", files: [{ path: "lines.txt", added: null }] });
    expect(mb).toBeLessThan(300);
  });

  it("git-28 four million lines, no two of them alike, to be looked through", async () => {
    await world.agent(workspace, "seq 4000000 >lines.txt");
    const { commit } = changeOf(await world.git.snapshot(workspace, repo, sha, "x"));
    const patch = () => world.git.patch(repo, sha, commit, 16 * 1024 * 1024);
    const { result, mb } = await largestGit(patch);
    expect(result).toBe(null);
    expect(mb).toBeLessThan(300);
  });
});

describe("what somebody planted in a mirror", () => {
  it("git-14 hooks lie in it", async () => {
    const names = [
      "reference-transaction",
      "post-checkout",
      "pre-push",
      "post-index-change",
      "update",
      "pre-receive",
      "post-merge",
      "proc-receive",
    ];
    for (const name of names) plant(`hooks/${name}`, `#!/bin/sh\ntouch ${canary}\n`);
    expect(paths(await attack("echo bbbb >a.txt"))).toEqual(["a.txt"]);
  });

  it("git-15 its configuration runs a program with every key that can", async () => {
    plant(
      "config",
      `${readFileSync(path.join(mirror, "config"), "utf8")}${trap(`touch ${canary}`)}`,
      0o644,
    );
    expect(paths(await attack("echo bbbb >a.txt"))).toEqual(["a.txt"]);
    expect(readFileSync(path.join(mirror, "config"), "utf8")).not.toContain("canary");
  });

  it("git-16 its configuration sends git to a helper that runs a shell", async () => {
    const evil = `[url "ext::sh -c touch% ${canary}% %S "]\n\tinsteadOf = http://\n[protocol]\n\tallow = always\n[protocol "ext"]\n\tallow = always\n`;
    plant("config", `${readFileSync(path.join(mirror, "config"), "utf8")}${evil}`, 0o644);
    expect(paths(await attack("echo bbbb >a.txt"))).toEqual(["a.txt"]);
  });

  it("git-17 other directories are named for its configuration and its objects", async () => {
    const elsewhere = path.join(world.root, `elsewhere-${scenes}`);
    execFileSync("cp", ["-r", mirror, elsewhere]);
    writeFileSync(path.join(elsewhere, "config"), trap(`touch ${canary}`), { flag: "a" });
    plant("commondir", `${elsewhere}\n`, 0o644);
    plant("config.worktree", trap(`touch ${canary}`), 0o644);
    plant("objects/info/alternates", `${elsewhere}/objects\n`, 0o644);
    plant("info/attributes", "* filter=e diff=e merge=e\n", 0o644);
    expect(paths(await attack("echo bbbb >a.txt"))).toEqual(["a.txt"]);
    expect(existsSync(path.join(mirror, "objects/info/alternates"))).toBe(false);
  });

  it("git-18 a commit is replaced, and parents are forged", async () => {
    const other = remote.commit({ "a.txt": "bbbb\n" }, { branch: "other" });
    await world.git.fetch(repo, [other], world.token);
    plant(`refs/replace/${sha}`, `${other}\n`, 0o644);
    plant("info/grafts", `${sha} ${other}\n`, 0o644);
    plant("shallow", `${sha}\n`, 0o644);
    const taken = await attack("echo bbbb >a.txt");
    expect(paths(taken)).toEqual(["a.txt"]);
    expect(await world.git.file(repo, sha, "a.txt", 100)).toBe("aaaa\n");
  });

  it("git-19 the environment of the server is full of git's own variables", async () => {
    const command = `touch ${canary}`;
    const commands = [
      "GIT_SSH_COMMAND",
      "GIT_EXTERNAL_DIFF",
      "GIT_PROXY_COMMAND",
      "GIT_ASKPASS",
      "SSH_ASKPASS",
      "GIT_PAGER",
      "PAGER",
      "EDITOR",
      "GIT_EDITOR",
    ];
    for (const name of commands) vi.stubEnv(name, command);
    for (const name of [
      "GIT_DIR",
      "GIT_WORK_TREE",
      "GIT_EXEC_PATH",
      "GIT_INDEX_FILE",
      "GIT_TEMPLATE_DIR",
    ])
      vi.stubEnv(name, "/nonexistent");
    for (const name of ["GIT_TRACE", "GIT_TRACE_PACKET", "GIT_TRACE2_EVENT", "GIT_TRACE_CURL"])
      vi.stubEnv(name, canary);
    vi.stubEnv(
      "GIT_CONFIG_PARAMETERS",
      `'merge.default=e' 'merge.e.driver=${command}' 'core.fsmonitor=${command}'`,
    );
    vi.stubEnv("GIT_CONFIG_COUNT", "1");
    vi.stubEnv("GIT_CONFIG_KEY_0", "diff.external");
    vi.stubEnv("GIT_CONFIG_VALUE_0", command);
    try {
      expect(paths(await attack("echo bbbb >a.txt"))).toEqual(["a.txt"]);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("what a repository brings along", () => {
  /** Commits a tree that no git would make, as the next commit of main. */
  function commitTree(tree: string): string {
    const commit = execFileSync("git", ["commit-tree", tree, "-p", sha, "-m", "Evil"], {
      cwd: remote.bare,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        GIT_AUTHOR_NAME: "E",
        GIT_AUTHOR_EMAIL: "e@example.com",
        GIT_COMMITTER_NAME: "E",
        GIT_COMMITTER_EMAIL: "e@example.com",
      },
    }).trim();
    runGit(remote.bare, "update-ref", "refs/heads/main", commit);
    return commit;
  }

  const blob = (text: string) =>
    execFileSync("git", ["hash-object", "-w", "--stdin"], {
      cwd: remote.bare,
      input: text,
      encoding: "utf8",
    }).trim();

  /** How the opening of a workspace ends, in words. */
  const opening = (commit: string) =>
    world.open(repo, commit, `brought-${scenes}`).then(
      () => "opened",
      (error: unknown) => String(error),
    );

  it("git-20 its trees hold .git, links out and parents", async () => {
    const hook = blob("#!/bin/sh\ntouch canary\n");
    const inner = remote.tree(`100755 blob ${hook}\tpost-checkout\n`);
    for (const name of [".git", ".g\u200cit", "git~1", ".GIT"]) {
      const commit = commitTree(
        remote.tree(`040000 tree ${inner}\t${name}\n100644 blob ${hook}\ta.txt\n`),
      );
      expect(await opening(commit), name).toMatch(/^UserError: .*could not be checked out/s);
    }
    expect(existsSync(canary)).toBe(false);
  });

  it("git-21 a small tree unpacks to millions of directories, or files", async () => {
    let empty = remote.tree("");
    for (let level = 0; level < 7; level += 1) {
      empty = remote.tree(
        Array.from({ length: 9 }, (_, at) => `040000 tree ${empty}\td${at}\n`).join(""),
      );
    }
    expect(await opening(commitTree(empty))).toMatch(/^UserError: .*more than 200,000/);
    let full = remote.tree(`100644 blob ${blob("x")}\tf\n`);
    for (let level = 0; level < 12; level += 1) {
      full = remote.tree(
        Array.from({ length: 10 }, (_, at) => `040000 tree ${full}\td${at}\n`).join(""),
      );
    }
    expect(await opening(commitTree(full))).toMatch(/^UserError: .*more than 200,000/);
  });

  it("git-22 its branches and tags have names that are options, symbols and controls", async () => {
    const names = [
      "heads/--upload-pack=touch",
      "heads/-f",
      "heads/@{-1",
      "heads/HEAD",
      "heads/a\u202eb",
      "heads/`id`",
      "heads/$(id)",
      "tags/--exec",
      "tags/;id",
      "heads/\u200b",
      "heads/x;touch",
    ];
    for (const name of names.filter((each) => !each.includes("@{")))
      runGit(remote.bare, "update-ref", `refs/${name}`, sha);
    const next = remote.commit({ "a.txt": "next\n" });
    await world.git.fetch(repo, [next], world.token);
    workspace = await world.open(repo, next, `named-${scenes}`);
    const said = await world.agent(
      workspace,
      "git for-each-ref | wc -l; git log --oneline | head -1; git status --short",
    );
    expect(said.exitCode).toBe(0);
    const token = await world.token();
    for (const name of names) {
      const branch = name.replace(/^\w+\//, "");
      const pushed = await world.git
        .pushBranch(repo, next, branch, sha, token)
        .catch((error: unknown) => String(error));
      expect(pushed, branch).toMatch(/^UserError: the ref .* has a name that is not safe/);
      expect(remote.refSha(`refs/heads/${branch}`) ?? sha).toBe(sha);
    }
  });

  it("git-23 what should be an object's name is an option", async () => {
    const evil = [
      `--output=${canary}`,
      "HEAD",
      "main",
      "-h",
      sha.slice(0, 39),
      `${sha}\n--x`,
      `${sha}^{tree}`,
      "@",
      ":a.txt",
    ];
    const { git } = world;
    for (const name of evil) {
      const tries = [
        git.diff(repo, name, sha, 100),
        git.merge(repo, sha, name),
        git.file(repo, name, "a.txt", 100),
        git.find(repo, name, "a.txt"),
        git.commit(repo, name, sha, "x"),
        git.pushRef(repo, name, "refs/draftsmith/x", await world.token()),
        git.open({ jobId: "named", repo, sha: name, fence: 1, resume: null }),
      ];
      for (const outcome of await Promise.allSettled(tries)) {
        expect(
          outcome.status === "rejected" ? String(outcome.reason) : "it worked",
          name,
        ).toContain("not a full object id");
      }
    }
    expect(existsSync(canary)).toBe(false);
    for (const jobId of ["../x", "-x", "a/b", "", "x".repeat(200), "a\nb"]) {
      await expect(git.open({ jobId, repo, sha, fence: 1, resume: null })).rejects.toThrow(
        "not a job id",
      );
    }
  });

  it("git-24 its instructions and configuration are links, holes and binaries", async () => {
    const commit = remote.commit({
      "AGENTS.md": { link: "/etc/passwd" },
      "dir/AGENTS.md": { link: "../a.txt" },
      "big/AGENTS.md": "x".repeat(200_000),
    });
    await world.git.fetch(repo, [commit], world.token);
    for (const name of [
      "AGENTS.md",
      "dir/AGENTS.md",
      "big/AGENTS.md",
      "dir",
      "../AGENTS.md",
      "/etc/passwd",
      "dir/../AGENTS.md",
      ":(top)AGENTS.md",
      "AGENTS.md\0x",
    ]) {
      expect(await world.git.file(repo, commit, name, 100_000), name).toBe(null);
    }
  });
});

describe("what a repository holds already", () => {
  it("git-29 twenty-four million lines with nothing in them, of which one is changed", async () => {
    const lines = remote.commit({ "lines.txt": "\n".repeat(24 * 1024 * 1024) });
    const at = await world.open(repo, lines, `lines-${scenes}`);
    await world.agent(at, "echo more >>lines.txt");
    const { commit } = changeOf(await world.git.snapshot(at, repo, lines, "x"));
    const patch = () => world.git.patch(repo, lines, commit, 16 * 1024 * 1024);
    const { result, mb } = await largestGit(patch);
    expect(result).toBe(null);
    expect(mb).toBeLessThan(300);
  });
});

describe("what would come out of a sandbox in an attacker's hand", () => {
  let scratch: string;
  beforeAll(() => {
    scratch = path.join(world.root, "scratch.git");
    mkdirSync(scratch);
    runGit(scratch, "init", "-q", "--bare");
  });

  /** The stream of the snapshot is made by hand; all else is the real sandbox. */
  async function takeInstead(stream: Buffer): Promise<Snapshot | { status: string }> {
    const sandbox: Sandbox = {
      ...world.sandbox,
      async run(command) {
        const { stdout } = command;
        if (!stdout) return world.sandbox.run(command);
        await new Promise<void>((resolve) => stdout.end(stream, () => resolve()));
        return { exitCode: 0, stopped: null, output: "", deniedHosts: [], durationMs: 1 };
      },
    };
    const remoteUrl = () => "http://127.0.0.1:1/none";
    const git = createGit({
      workDir: world.workDir,
      sandbox,
      user: TEST_USER,
      remoteUrl,
      log: silentLog,
    });
    return git
      .snapshot(workspace, repo, sha, "x")
      .catch((error: unknown) => ({ status: String(error) }));
  }

  const object = (type: string, content: string | Buffer) =>
    execFileSync("git", ["hash-object", "--literally", "-t", type, "-w", "--stdin"], {
      cwd: scratch,
      input: content,
      encoding: "utf8",
    }).trim();

  const tree = (...entries: [mode: string, name: string, id: string][]) =>
    object(
      "tree",
      Buffer.concat(
        entries.flatMap(([mode, name, id]) => [
          Buffer.from(`${mode} ${name}\0`),
          Buffer.from(id, "hex"),
        ]),
      ),
    );

  function stream(first: string, ids: string[]): Buffer {
    const pack = execFileSync("git", ["pack-objects", "-q", "--stdout"], {
      cwd: scratch,
      input: `${ids.join("\n")}\n`,
    });
    return Buffer.concat([Buffer.from(`${first}\n`), pack]);
  }

  it("git-25 trees that only an attacker makes: .git in every spelling, parents, doubles, linked .gitmodules", async () => {
    const evil = object("blob", "[core]\n\tfsmonitor = touch x\n");
    const config = tree(["100644", "config", evil]);
    const target = object("blob", "elsewhere");
    const modules = object("blob", '[submodule "x"]\n\tpath = x\n\turl = --upload-pack=x\n');
    const made: [string, ...string[]][] = [
      [tree(["40000", ".git", config]), config, evil],
      [tree(["40000", ".GiT", config]), config, evil],
      [tree(["40000", ".g\u200cit", config]), config, evil],
      [tree(["40000", "git~1", config]), config, evil],
      [tree(["40000", ".git ", config]), config, evil],
      [tree(["120000", ".gitmodules", target]), target],
      [tree(["100644", ".gitmodules", modules]), modules],
      [tree(["100644", "..", evil]), evil],
      [tree(["100644", ".", evil]), evil],
      [tree(["100644", "a/b", evil]), evil],
      [tree(["100644", "", evil]), evil],
      [tree(["100644", "x", evil], ["100644", "x", evil]), evil],
      [tree(["100777", "x", evil], ["100644", "a", evil]), evil],
    ];
    const before = runGit(mirror, "count-objects", "-v");
    for (const [root, ...rest] of made) {
      const taken = await takeInstead(stream(root, [root, ...rest]));
      expect(taken.status, `tree ${made.findIndex(([each]) => each === root)}`).toBe("refused");
    }
    expect(runGit(mirror, "count-objects", "-v")).toBe(before);
  });

  it("git-26 a pack without its objects, or for a tree of somebody else", async () => {
    const root = tree(["100644", "x", object("blob", `absent ${scenes}`)]);
    const known = runGit(mirror, "rev-parse", `${sha}:a.txt`);
    const streams = [
      stream(root, [root]),
      Buffer.from(`${"1".repeat(40)}\n`),
      Buffer.from(`${known}\n`),
      Buffer.from(`${sha}\n`),
      Buffer.from("no pack at all"),
      Buffer.from("--help\n"),
      Buffer.from("HEAD\n"),
      Buffer.alloc(0),
    ];
    for (const each of streams) {
      const taken = await takeInstead(each);
      expect(taken.status, each.subarray(0, 60).toString()).toMatch(
        /^refused$|not a full object id/,
      );
    }
    expect(runGit(mirror, "for-each-ref", "refs/draftsmith")).not.toContain("commit");
  });
});
