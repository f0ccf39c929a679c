import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { RateLimited, TransientError, UserError } from "../../../src/core/errors.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { runGit } from "../../support/repository.ts";
import { TEST_USER } from "../../support/workspace.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterEach(() => {
  world.server.before = async () => null;
});
afterAll(() => world.close());

/** A fetched repository with a commit of ours on its main branch. */
async function scene() {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a\n" });
  await world.git.fetch(repo, [sha], world.token);
  const commitOf = async (text: string, parent = sha) => {
    const tree = remote.tree(`100644 blob ${blobOf(remote.bare, text)}\ta.txt\n`);
    const carrier = runGit(remote.bare, "commit-tree", tree, "-m", "carries the tree");
    await world.git.fetch(repo, [carrier], world.token);
    return (await world.git.commit(repo, tree, parent, text)).commit;
  };
  return { repo, remote, sha, commitOf };
}

function blobOf(bare: string, text: string): string {
  writeFileSync(path.join(bare, "blob"), text);
  return runGit(bare, "hash-object", "-w", "blob");
}

describe("pushRef and deleteRef", () => {
  it("put a commit under a private ref, replace it and take it away, as often as told", async () => {
    const { repo, remote, commitOf } = await scene();
    const first = await commitOf("1");
    const second = await commitOf("2");
    const ref = "refs/draftsmith/job-1";
    for (const commit of [first, first, second]) {
      await world.git.pushRef(repo, commit, ref, world.server.token);
      expect(remote.refSha(ref)).toBe(commit);
    }
    for (let times = 0; times < 2; times += 1) {
      await world.git.deleteRef(repo, ref, world.server.token);
      expect(remote.refSha(ref)).toBe(null);
    }
  });

  it("take away what another machine put there, without its mirror", async () => {
    const { repo, remote, commitOf } = await scene();
    const ref = "refs/draftsmith/job-1";
    await world.git.pushRef(repo, await commitOf("1"), ref, world.server.token);
    const elsewhere = await makeGitWorld();
    try {
      const other = elsewhere.repository();
      runGit(other.remote.bare, "fetch", "-q", remote.bare, `${ref}:${ref}`);
      expect(other.remote.refSha(ref)).not.toBe(null);
      await elsewhere.git.deleteRef(other.repo, ref, elsewhere.server.token);
      expect(other.remote.refSha(ref)).toBe(null);
    } finally {
      await elsewhere.close();
    }
  });

  it("touch nothing but private refs", async () => {
    const { repo, remote, sha, commitOf } = await scene();
    const commit = await commitOf("1");
    for (const ref of ["refs/heads/main", "refs/tags/v1", "refs/draftsmith/../heads/main", "-f"]) {
      await expect(world.git.pushRef(repo, commit, ref, world.server.token)).rejects.toThrow();
      await expect(world.git.deleteRef(repo, ref, world.server.token)).rejects.toThrow();
    }
    expect(remote.refSha("refs/heads/main")).toBe(sha);
  });
});

describe("pushBranch", () => {
  it("makes a branch once, and leaves one alone that stands elsewhere", async () => {
    const { repo, remote, sha, commitOf } = await scene();
    const commit = await commitOf("1");
    const push = () => world.git.pushBranch(repo, commit, "codex/1-x", null, world.server.token);
    expect(await push()).toEqual({ status: "done" });
    // The answer of the first was lost: the second finds its work done.
    expect(await push()).toEqual({ status: "done" });
    expect(remote.refSha("refs/heads/codex/1-x")).toBe(commit);
    runGit(remote.bare, "update-ref", "refs/heads/codex/1-x", sha);
    expect(await push()).toEqual({ status: "moved", sha });
    expect(remote.refSha("refs/heads/codex/1-x")).toBe(sha);
  });

  it("goes on from the expected commit only, and never back", async () => {
    const { repo, remote, sha, commitOf } = await scene();
    const commit = await commitOf("1");
    const push = (from: string | null, to = commit) =>
      world.git.pushBranch(repo, to, "main", from, world.server.token);
    const theirs = remote.commit({ "b.txt": "b\n" }, { branch: "main" });
    expect(await push(sha)).toEqual({ status: "moved", sha: theirs });
    expect(remote.refSha("refs/heads/main")).toBe(theirs);
    await world.git.fetch(repo, [theirs], world.token);
    await expect(push(theirs)).rejects.toThrow("does not follow");
    const follows = await commitOf("2", theirs);
    expect(await push(theirs, follows)).toEqual({ status: "done" });
    expect(remote.refSha("refs/heads/main")).toBe(follows);
    runGit(remote.bare, "update-ref", "-d", "refs/heads/main");
    const next = await commitOf("3", follows);
    await expect(push(follows, next)).rejects.toThrow(/branch main is not in acme/);
    expect(remote.refSha("refs/heads/main")).toBe(null);
  });

  it("tells GitHub's own reason when it refuses", async () => {
    const { repo, remote, sha, commitOf } = await scene();
    const commit = await commitOf("1");
    const hook = path.join(remote.bare, "hooks/pre-receive");
    const said = "error: GH013: Repository rule violations found for refs/heads/main.";
    writeFileSync(hook, `#!/bin/sh\necho '${said}' >&2\nexit 1\n`, { mode: 0o755 });
    const pushed = world.git.pushBranch(repo, commit, "main", sha, world.server.token);
    await expect(pushed).rejects.toBeInstanceOf(UserError);
    await expect(pushed).rejects.toThrow(/pre-receive hook declined.*GH013/);
    expect(remote.refSha("refs/heads/main")).toBe(sha);
  });

  it("refuses names that git or a shell could take for something else", async () => {
    const { repo, commitOf } = await scene();
    const commit = await commitOf("1");
    const before = world.server.requests.length;
    const names = [
      "-f",
      "--force",
      "@",
      "HEAD",
      "a..b",
      "a b",
      "x:refs/heads/main",
      "a//b",
      ".x",
      "x.lock",
    ];
    for (const name of [...names, "@{-1}", "a~1", "x\ny", "ü", "", "a/"]) {
      const pushed = world.git.pushBranch(repo, commit, name, null, world.server.token);
      await expect(pushed, name).rejects.toThrow(UserError);
    }
    expect(world.server.requests.length).toBe(before);
  });

  it("says that it cannot push what only GitHub has", async () => {
    const { repo, remote, sha } = await scene();
    const there = "1234567890".repeat(4);
    const pushed = world.git.pushBranch(repo, there, "main", sha, world.server.token);
    await expect(pushed).rejects.toThrow(/which only GitHub has/);
    await expect(pushed).rejects.toBeInstanceOf(TransientError);
    expect(remote.refSha("refs/heads/main")).toBe(sha);
  });

  it("leaves a stale token to the next try", async () => {
    const { repo, remote, commitOf } = await scene();
    const commit = await commitOf("1");
    const pushed = world.git.pushBranch(repo, commit, "codex/z", null, "stale");
    await expect(pushed).rejects.toBeInstanceOf(TransientError);
    expect(remote.refSha("refs/heads/codex/z")).toBe(null);
  });

  it("reports a lost connection as passing, and can be called again", async () => {
    const { repo, remote, commitOf } = await scene();
    const commit = await commitOf("1");
    const push = () => world.git.pushBranch(repo, commit, "codex/x", null, world.server.token);
    for (const fault of ["drop", 502] as const) {
      world.server.before = async ({ method }) => (method === "POST" ? fault : null);
      await expect(push()).rejects.toBeInstanceOf(TransientError);
    }
    world.server.before = async () => null;
    expect(await push()).toEqual({ status: "done" });
    expect(remote.refSha("refs/heads/codex/x")).toBe(commit);
  });
});

it.each(["GET", "POST"])("a rate limit at the %s of a push is one", async (which) => {
  const { repo, remote, commitOf } = await scene();
  const commit = await commitOf("1");
  const answer = { status: 403, headers: { "Retry-After": "90" } };
  const pushes = [
    () => world.git.pushRef(repo, commit, "refs/draftsmith/job-2", world.server.token),
    () => world.git.pushBranch(repo, commit, "codex/y", null, world.server.token),
  ];
  for (const push of pushes) {
    const before = world.server.requests.length;
    world.server.before = async ({ method }) => (method === which ? answer : null);
    await expect(push()).rejects.toBeInstanceOf(RateLimited);
    // Nothing more is asked then, not even where the branch stands.
    const asked = world.server.requests.slice(before).filter(({ method }) => method === which);
    expect(asked).toHaveLength(1);
    world.server.before = async () => null;
    await push();
  }
  expect(remote.refSha("refs/heads/codex/y")).toBe(commit);
});

describe("the token", () => {
  it("stands in no argument, no file and no environment the sandbox could read", async () => {
    const { repo, sha, commitOf } = await scene();
    const commit = await commitOf("1");
    const workspace = await world.open(repo, sha, "curious");
    const { token } = world.server;
    const encoded = Buffer.from(`x-access-token:${token}`).toString("base64");
    let looked = 0;
    world.server.before = async () => {
      const running = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
      const lines = running.map((pid) => readOrEmpty(`/proc/${pid}/cmdline`));
      expect(lines.some((line) => line.includes("git-remote-http"))).toBe(true);
      for (const line of lines) expect(line.includes(token) || line.includes(encoded)).toBe(false);
      const script = 'for f in /proc/[0-9]*/environ; do cat "$f" 2>/dev/null; done; true';
      const inside = await world.agent(workspace, script);
      const outside = TEST_USER
        ? execFileSync("sh", ["-c", script], { ...TEST_USER, encoding: "latin1" })
        : "";
      for (const seen of [inside.output, outside]) {
        expect(seen.includes(token) || seen.includes(encoded)).toBe(false);
      }
      looked += 1;
      return null;
    };
    await world.git.pushRef(repo, commit, "refs/draftsmith/job-9", token);
    expect(looked).toBeGreaterThan(1);
    const found = execFileSync("sh", [
      "-c",
      'grep -rlF -e "$1" -e "$2" "$3" || true',
      "sh",
      token,
      encoded,
      world.workDir,
    ]);
    expect(found.toString()).toBe("");
  });

  it("stands in no error", async () => {
    const { repo, remote, commitOf } = await scene();
    const commit = await commitOf("1");
    const hook = path.join(remote.bare, "hooks/pre-receive");
    const encoded = Buffer.from(`x-access-token:${world.server.token}`).toString("base64");
    writeFileSync(hook, `#!/bin/sh\necho '${world.server.token} ${encoded}' >&2\nexit 1\n`, {
      mode: 0o755,
    });
    const error = await world.git
      .pushBranch(repo, commit, "codex/y", null, world.server.token)
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("[token] [token]");
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(encoded);
  });
});

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    // The process has ended meanwhile.
    return "";
  }
}
