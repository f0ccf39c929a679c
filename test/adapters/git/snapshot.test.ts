import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RepoRef } from "../../../src/core/job.ts";
import type { ChangedFile, Snapshot, Workspace } from "../../../src/core/ports.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { type Entry, type Remote, runGit } from "../../support/repository.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

interface Scene {
  repo: RepoRef;
  remote: Remote;
  sha: string;
  workspace: Workspace;
  mirror: string;
  /** The agent's script, which must succeed, then a snapshot. */
  takeAfter(script: string): Promise<Snapshot>;
}

let scenes = 0;
async function scene(files: Record<string, Entry>): Promise<Scene> {
  const { repo, remote } = world.repository();
  const sha = remote.commit(files);
  scenes += 1;
  const workspace = await world.open(repo, sha, `snapshot-${scenes}`);
  return {
    repo,
    remote,
    sha,
    workspace,
    mirror: path.join(world.workDir, "mirrors", `${repo.id}.git`),
    async takeAfter(script) {
      const said = await world.agent(workspace, `set -e\n${script}`);
      expect(said.exitCode, said.output).toBe(0);
      return world.git.snapshot(workspace, repo, sha, "Title\n\nBody.");
    },
  };
}

function taken(snapshot: Snapshot): Extract<Snapshot, { status: "change" }> {
  if (snapshot.status !== "change") throw new Error(`${JSON.stringify(snapshot)} is no change`);
  return snapshot;
}

describe("snapshot", () => {
  it("makes one commit of what changed, with our identity", async () => {
    const { repo, sha, mirror, takeAfter } = await scene({
      "keep.txt": "keep\n",
      "edit.txt": "one\ntwo\n",
      "gone.txt": "gone\n",
      "mode.sh": "#!/bin/sh\n",
      kind: "text\n",
      ".gitignore": "node_modules/\n",
    });
    const change = taken(
      await takeAfter(`printf 'one\\n2\\nthree\\n' > edit.txt; rm gone.txt kind; chmod +x mode.sh
        ln -s edit.txt kind; mkdir -p 'a b' node_modules; echo ü > 'a b/ü ñ.txt'; touch node_modules/x
        printf '\\000\\001' > data.bin; mkdir empty`),
    );
    const mode = { oldMode: "100644", newMode: "100644" };
    const leads = ({ path, leadsTo }: ChangedFile) => (leadsTo === null ? [] : [[path, leadsTo]]);
    expect(change.files.flatMap(leads)).toEqual([["kind", "edit.txt"]]);
    expect(change.files.map(({ leadsTo: _, ...file }) => file)).toEqual([
      {
        path: "a b/ü ñ.txt",
        oldMode: "000000",
        newMode: "100644",
        status: "added",
        added: 1,
        removed: 0,
      },
      {
        path: "data.bin",
        oldMode: "000000",
        newMode: "100644",
        status: "added",
        added: null,
        removed: null,
      },
      { path: "edit.txt", ...mode, status: "modified", added: 2, removed: 1 },
      {
        path: "gone.txt",
        oldMode: "100644",
        newMode: "000000",
        status: "deleted",
        added: 0,
        removed: 1,
      },
      {
        path: "kind",
        oldMode: "100644",
        newMode: "120000",
        status: "type_changed",
        added: 1,
        removed: 1,
      },
      {
        path: "mode.sh",
        oldMode: "100644",
        newMode: "100755",
        status: "modified",
        added: 0,
        removed: 0,
      },
    ]);
    expect(runGit(mirror, "log", "-1", "--format=%P|%an <%ae>|%cn <%ce>|%B", change.commit)).toBe(
      `${sha}|Draftsmith <draftsmith@noreply.invalid>|Draftsmith <draftsmith@noreply.invalid>|Title\n\nBody.\n`,
    );
    expect(runGit(mirror, "rev-parse", `${change.commit}^{tree}`)).toBe(change.tree);
    expect(await world.git.file(repo, change.commit, "a b/ü ñ.txt", 100)).toBe("ü\n");
    runGit(mirror, "fsck", "--strict", "--no-dangling");
  });

  it("says when nothing changed, even when files were touched, changed and changed back", async () => {
    const { takeAfter } = await scene({ "a.txt": "a\n", "b.txt": "b\n", "dir/c.txt": "c\n" });
    const script = `touch a.txt; echo x > b.txt; echo b > b.txt; rm -r dir; mkdir dir; echo c > dir/c.txt`;
    expect(await takeAfter("true")).toEqual({ status: "empty" });
    expect(await takeAfter(script)).toEqual({ status: "empty" });
  });

  it("sees an edit of the same size made within the second of the checkout", async () => {
    for (let times = 0; times < 3; times += 1) {
      const { takeAfter } = await scene({ "a.txt": "aaaa\n", "b.txt": "bbbb\n" });
      const change = taken(await takeAfter("printf 'AAAA\\n' > a.txt"));
      expect(change.files.map((file) => file.path)).toEqual(["a.txt"]);
    }
  });

  it("sees an edit of the same size among many files", async () => {
    const many = Array.from({ length: 1001 }, (_, at) => [`f${at}`, "aaaa\n"]);
    const { takeAfter } = await scene(Object.fromEntries(many));
    const change = taken(await takeAfter("printf 'AAAA\\n' > f7"));
    expect(change.files.map((file) => file.path)).toEqual(["f7"]);
  });

  it("sees an edit of the same size behind a restored time stamp", async () => {
    const { takeAfter } = await scene({ "a.txt": "aaaa\n" });
    const change = taken(
      await takeAfter(
        "sleep 1.1; touch -r a.txt /tmp/t; printf 'AAAA\\n' > a.txt; touch -r /tmp/t a.txt",
      ),
    );
    expect(change.files.map((file) => file.path)).toEqual(["a.txt"]);
  });

  it("takes the files, whatever the agent did to its own repository", async () => {
    const { repo, sha, mirror, takeAfter } = await scene({ "a.txt": "a\n", "b.txt": "b\n" });
    const change = taken(
      await takeAfter(`echo 1 > a.txt; git commit -qam one; echo 2 > b.txt; git stash -q; git stash pop -q
        git checkout -q --orphan other; git rm -qf --cached -r .; git update-index --add b.txt
        git update-index --assume-unchanged b.txt; echo '*' > ../git/info/exclude 2>/dev/null || true
        git config core.excludesFile /dev/stdin; git config core.autocrlf true; git config core.worktree /
        rm -rf ../git/objects ../git/HEAD ../git/index; mkdir -p ~/.config/git; echo '*' > ~/.config/git/ignore
        printf '[core]\\n\\tbare = true\\n' > ~/.gitconfig; echo 3 > new.txt`),
    );
    expect(change.files.map((file) => file.path)).toEqual(["a.txt", "b.txt", "new.txt"]);
    expect(runGit(mirror, "rev-parse", `${change.commit}^`)).toBe(sha);
    expect(await world.git.file(repo, change.commit, "b.txt", 10)).toBe("2\n");
  });

  it("leaves line ends alone that nobody changed", async () => {
    const attributes =
      "*.bat text eol=crlf\n*.txt text\n*.auto text=auto\n*.utf16 text working-tree-encoding=UTF-16LE\n";
    const { takeAfter } = await scene({
      ".gitattributes": attributes,
      "run.bat": "@echo off\r\necho hi\r\n",
      "mixed.auto": "one\r\ntwo\n",
      "plain.txt": "unix\n",
    });
    expect(await takeAfter("true")).toEqual({ status: "empty" });
    const change = taken(await takeAfter("printf '@echo off\\r\\necho ho\\r\\n' > run.bat"));
    expect(change.files).toMatchObject([{ path: "run.bat", added: 1, removed: 1 }]);
  });

  it("leaves line ends alone that never agreed with the attributes", async () => {
    const { repo, remote } = world.repository();
    remote.commit({ "old.txt": "dos\r\n", "other.txt": "dos too\r\n" });
    const sha = remote.commit({ ".gitattributes": "*.txt text\n" });
    // git add would have mended them: put them back as they were.
    const blob = (name: string) => runGit(remote.bare, "rev-parse", `${sha}~:${name}`);
    const tree = remote.tree(
      `100644 blob ${runGit(remote.bare, "rev-parse", `${sha}:.gitattributes`)}\t.gitattributes\n` +
        `100644 blob ${blob("old.txt")}\told.txt\n100644 blob ${blob("other.txt")}\tother.txt\n`,
    );
    const odd = runGit(remote.bare, "commit-tree", tree, "-p", sha, "-m", "odd");
    runGit(remote.bare, "update-ref", "refs/heads/odd", odd);
    const workspace = await world.open(repo, odd, "odd-ends");
    expect(await world.git.snapshot(workspace, repo, odd, "x")).toEqual({ status: "empty" });
    await world.agent(workspace, "echo new > new.md");
    const change = taken(await world.git.snapshot(workspace, repo, odd, "x"));
    expect(change.files.map((file) => file.path)).toEqual(["new.md"]);
  });

  it("does not carry a 50 MB file of the base, and refuses to add one", async () => {
    const big = Buffer.alloc(50 * 1024 * 1024, "fifty megabytes of one line\n");
    const { mirror, takeAfter } = await scene({ "big.dat": big, "a.txt": "a\n" });
    const change = taken(await takeAfter("echo b > a.txt"));
    expect(change.files.map((file) => file.path)).toEqual(["a.txt"]);
    const before = readdirSync(path.join(mirror, "objects/pack")).length;
    const refused = await takeAfter("head -c 54000000 /dev/urandom > more.dat");
    expect(refused).toMatchObject({ status: "refused", reason: expect.stringMatching(/50 MB/) });
    expect(readdirSync(path.join(mirror, "objects/pack"))).toHaveLength(before);
    expect(readdirSync(mirror).filter((name) => name.startsWith("incoming"))).toEqual([]);
    const sparse = await takeAfter("rm more.dat; truncate -s 105M core");
    expect(sparse).toMatchObject({
      status: "refused",
      reason: expect.stringMatching(/100 MB: "core"/),
    });
  }, 120_000);

  it("refuses more than ten thousand files, and says where they are", async () => {
    const { takeAfter } = await scene({ "a.txt": "a\n" });
    const refused = await takeAfter("mkdir -p gen/x; cd gen/x; seq 1 10001 | xargs touch");
    expect(refused).toMatchObject({
      status: "refused",
      reason: expect.stringMatching(
        /10,001 files changed; at most 10,000 may\. 10,001 of them are in gen\//,
      ),
    });
  }, 60_000);

  it("goes on from a commit that is not the one the workspace was cut from", async () => {
    const { repo, sha, workspace, takeAfter } = await scene({ "a.txt": "a\n", "b.txt": "b\n" });
    const first = taken(await takeAfter("echo 1 > a.txt"));
    expect(await world.git.snapshot(workspace, repo, first.commit, "x")).toEqual({
      status: "empty",
    });
    await world.agent(workspace, "echo 2 > b.txt");
    const second = taken(await world.git.snapshot(workspace, repo, first.commit, "x"));
    expect(second.files.map((file) => file.path)).toEqual(["b.txt"]);
    const whole = taken(await world.git.snapshot(workspace, repo, sha, "x"));
    expect(whole.files.map((file) => file.path)).toEqual(["a.txt", "b.txt"]);
    expect(whole.tree).toBe(second.tree);
  });
});
