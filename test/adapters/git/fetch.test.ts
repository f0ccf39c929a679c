import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { RateLimited, TransientError, UserError } from "../../../src/core/errors.ts";
import type { RepoRef } from "../../../src/core/job.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { runGit } from "../../support/repository.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterEach(() => {
  world.server.before = async () => null;
});
afterAll(() => world.close());

function mirror(repo: RepoRef): string {
  return path.join(world.workDir, "mirrors", `${repo.id}.git`);
}

function refsOf(repo: RepoRef): string[] {
  return runGit(mirror(repo), "for-each-ref", "--format=%(refname)").split("\n");
}

function cut(file: string, size: number): void {
  chmodSync(file, 0o600);
  truncateSync(file, size);
}

/** A pack of the objects named in the file `ids`. */
function packObjects(dir: string): void {
  const command = "git pack-objects -q objects/pack/pack <ids && git prune-packed";
  execFileSync("sh", ["-c", command], {
    cwd: dir,
    stdio: "ignore",
    env: { PATH: process.env.PATH, GIT_DIR: dir },
  });
}

async function fetch(repo: RepoRef, shas: string[]): Promise<number> {
  const before = world.server.requests.length;
  await world.git.fetch(repo, shas, world.token);
  return world.server.requests.length - before;
}

describe("fetch", () => {
  it("brings branches and tags, and asks the network for nothing it holds", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    remote.git("tag", "v1");
    remote.git("push", "-q", remote.bare, "v1");
    expect(await fetch(repo, [sha])).toBeGreaterThan(0);
    expect(refsOf(repo)).toEqual(["refs/remotes/origin/main", "refs/tags/v1"]);
    expect(await fetch(repo, [sha])).toBe(0);
  });

  it("makes a mirror whole or not at all for whoever looks meanwhile", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    let done = false;
    const fetched = fetch(repo, [sha]).finally(() => {
      done = true;
    });
    const seen = new Set<unknown>();
    const look = async () => {
      while (!done) {
        const found = await world.git.changed(repo, sha).catch((thrown: unknown) => thrown);
        seen.add(found instanceof TransientError ? found.message : found);
      }
    };
    await Promise.all([fetched, look(), look(), look()]);
    const absent = `the mirror of acme/${repo.name} is not there; it is fetched again`;
    expect([...seen].filter((each) => each !== absent && each !== null)).toEqual([]);
    expect(await world.git.changed(repo, sha)).toBeNull();
    expect(readdirSync(path.join(world.workDir, "mirrors"))).not.toContain(
      `${repo.id}.git.damaged`,
    );
  });

  it("gives a job that finds its mirror set aside another try", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    await fetch(repo, [sha]);
    const packed = world.git.unpack({
      ...{ jobId: "j", repo, parent: sha, commit: sha },
      pack: Buffer.alloc(0),
    });
    renameSync(mirror(repo), `${mirror(repo)}.elsewhere`);
    await expect(packed).rejects.toThrow(TransientError);
  });

  it("shares one fetch among callers, and forgets branches that are gone", async () => {
    const { repo, remote } = world.repository();
    remote.commit({ "a.txt": "a\n" }, { branch: "old/topic" });
    await fetch(repo, [remote.git("rev-parse", "HEAD")]);
    const sha = remote.commit({ "a.txt": "b\n" }, { branch: "other" });
    for (const gone of ["old/topic", "other"]) {
      runGit(remote.bare, "update-ref", "-d", `refs/heads/${gone}`);
    }
    runGit(remote.bare, "update-ref", "refs/heads/old", sha);
    world.server.requests.length = 0;
    await Promise.all(Array.from({ length: 8 }, () => fetch(repo, [sha])));
    const adverts = world.server.requests.filter(({ url }) => url.includes("/info/refs"));
    expect(adverts).toHaveLength(1);
    expect(refsOf(repo)).toEqual(["refs/remotes/origin/old"]);
  });

  it("brings a commit that no branch leads to", async () => {
    const { repo, remote } = world.repository();
    remote.commit({ "a.txt": "a\n" });
    const lost = remote.commit({ "a.txt": "lost\n" });
    remote.git("reset", "-q", "--hard", "HEAD~");
    remote.commit({ "a.txt": "b\n" });
    runGit(remote.bare, "update-ref", "refs/pull/7/head", lost);
    await fetch(repo, [lost]);
    expect(await world.git.file(repo, lost, "a.txt", 100)).toBe("lost\n");
  });

  it("says which commit is gone, and tells only who asked for it", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    const gone = "1234567890".repeat(4);
    const [known, unknown] = await Promise.allSettled([fetch(repo, [sha]), fetch(repo, [gone])]);
    expect(known.status).toBe("fulfilled");
    expect(unknown).toMatchObject({ reason: expect.any(UserError) });
    expect(unknown).toMatchObject({ reason: { message: expect.stringContaining("123456789012") } });
  });

  it("refuses names that could be something else", async () => {
    const { repo } = world.repository();
    for (const sha of ["HEAD", "--upload-pack=touch", "a".repeat(39), ""]) {
      await expect(fetch(repo, [sha])).rejects.toThrow("not a full object id");
    }
    expect(world.server.requests.filter(({ url }) => url.includes(repo.name))).toEqual([]);
  });

  it("tries once more with a fresh token, and once only", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    const tokens = ["stale", world.server.token];
    await world.git.fetch(repo, [sha], async () => tokens.shift() ?? "none");
    expect(tokens).toEqual([]);
    const next = remote.commit({ "a.txt": "b\n" });
    const stale = world.git.fetch(repo, [next], async () => "stale");
    await expect(stale).rejects.toThrow(/did not accept the App's token for acme/);
    await expect(stale).rejects.toBeInstanceOf(TransientError);
  });

  it.each([
    [404, UserError, "does not find acme/"],
    [403, UserError, "refused git access"],
    [500, TransientError, "500"],
    [503, TransientError, "503"],
    [429, TransientError, "429"],
    ["drop", TransientError, "connection to GitHub failed"],
  ] as const)("turns the answer %s into the right kind of error", async (fault, kind, words) => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    world.server.before = async () => fault;
    const failing = fetch(repo, [sha]);
    await expect(failing).rejects.toBeInstanceOf(kind);
    await expect(failing).rejects.toThrow(words);
    await expect(failing).rejects.not.toThrow(world.server.token);
    world.server.before = async () => null;
    await fetch(repo, [sha]);
  });

  it.each([
    ["429 with a time", { status: 429, headers: { "Retry-After": "90" } }, 90_000, true],
    ["429 without", { status: 429 }, 60_000, false],
    ["403 with a time", { status: 403, headers: { "retry-after": "90" } }, 90_000, true],
    [
      "403 with calls used up",
      {
        status: 403,
        headers: {
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": String(Math.floor(Date.now() / 1000) + 90),
        },
      },
      90_000,
      true,
    ],
  ] as const)(
    "takes %s for a rate limit, at its first request and in its midst",
    async (_, answer, ms, stated) => {
      const { repo, remote } = world.repository();
      const sha = remote.commit({ "a.txt": "a\n" });
      for (const which of ["GET", "POST"]) {
        const before = world.server.requests.length;
        world.server.before = async ({ method }) => (method === which ? answer : null);
        const failing = fetch(repo, [sha]);
        await expect(failing).rejects.toBeInstanceOf(RateLimited);
        const limit = await failing.then(
          () => null,
          (thrown: RateLimited) => thrown,
        );
        expect(limit).toMatchObject({ stated, secondary: false });
        const inMs = (limit?.retryAt ?? 0) - Date.now();
        expect(inMs).toBeGreaterThan(ms - 30_000);
        expect(inMs).toBeLessThanOrEqual(ms + 1000);
        const asked = world.server.requests.slice(before).filter(({ method }) => method === which);
        expect(asked).toHaveLength(1);
      }
      world.server.before = async () => null;
      await fetch(repo, [sha]);
    },
  );

  it("reports a connection cut in the middle of the objects as passing", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    world.server.before = async ({ method }) => (method === "POST" ? "drop" : null);
    await expect(fetch(repo, [sha])).rejects.toBeInstanceOf(TransientError);
  });

  it("clones a damaged mirror again and keeps the damaged one aside", async () => {
    const { repo, remote } = world.repository();
    const first = remote.commit({ "a.txt": "a\n".repeat(1000) });
    await fetch(repo, [first]);
    const packs = path.join(mirror(repo), "objects/pack");
    const pack = readdirSync(packs).find((name) => name.endsWith(".pack")) ?? "";
    cut(path.join(packs, pack), 20);
    const second = remote.commit({ "a.txt": "b\n" });
    await fetch(repo, [second]);
    expect(await world.git.file(repo, first, "a.txt", 10_000)).toBe("a\n".repeat(1000));
    expect(readdirSync(path.join(world.workDir, "mirrors"))).toContain(`${repo.id}.git.damaged`);
  });

  it("notices damage while it works, and mends it at the next fetch", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n".repeat(1000) });
    await fetch(repo, [sha]);
    const packs = path.join(mirror(repo), "objects/pack");
    for (const name of readdirSync(packs)) cut(path.join(packs, name), 40);
    await expect(world.git.find(repo, sha, "a.txt")).rejects.toThrow();
    await fetch(repo, [sha]);
    expect(await world.git.find(repo, sha, "a.txt")).toEqual(["a.txt"]);
  });

  it("removes the locks of a dead process, and no young ones", async () => {
    const { repo, remote } = world.repository();
    await fetch(repo, [remote.commit({ "a.txt": "a\n" })]);
    const lock = path.join(mirror(repo), "refs/remotes/origin/main.lock");
    mkdirSync(path.dirname(lock), { recursive: true });
    writeFileSync(lock, "");
    const sha = remote.commit({ "a.txt": "b\n" });
    await expect(fetch(repo, [sha])).rejects.toThrow();
    const hourAgo = Date.now() / 1000 - 3600;
    utimesSync(lock, hourAgo, hourAgo);
    await fetch(repo, [remote.commit({ "a.txt": "c\n" })]);
  });

  it("removes what dead processes left and joins packs, and keeps branches with such names", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" }, { branch: "tmp_fix" });
    remote.commit({ "a.txt": "b\n" }, { branch: "incoming-change" });
    await fetch(repo, [sha]);
    const dir = mirror(repo);
    const names = () => runGit(dir, "for-each-ref", "--format=%(refname)");
    const kept = names();
    const packs = path.join(dir, "objects/pack");
    for (let made = 0; made < 51; made += 1) {
      writeFileSync(path.join(dir, "blob"), `${made}`);
      writeFileSync(path.join(dir, "ids"), `${runGit(dir, "hash-object", "-w", "blob")}\n`);
      packObjects(dir);
    }
    writeFileSync(path.join(packs, "tmp_pack_x"), "");
    mkdirSync(path.join(dir, "incoming-x/pack"), { recursive: true });
    const dayAgo = Date.now() / 1000 - 86_400;
    for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
      if (name !== "objects/pack/tmp_pack_y") utimesSync(path.join(dir, name), dayAgo, dayAgo);
    }
    writeFileSync(path.join(packs, "tmp_pack_y"), "");
    await fetch(repo, [remote.commit({ "a.txt": "c\n" }, { branch: "incoming-change" })]);
    expect(names()).toBe(kept);
    expect(readdirSync(dir).filter((name) => name.startsWith("incoming"))).toEqual([]);
    expect(readdirSync(packs).filter((name) => name.startsWith("tmp_"))).toEqual(["tmp_pack_y"]);
    expect(readdirSync(packs).filter((name) => name.endsWith(".pack")).length).toBeLessThan(10);
    expect(runGit(dir, "cat-file", "blob", runGit(dir, "hash-object", "blob"))).toBe("50");
    runGit(dir, "fsck", "--strict", "--no-dangling");
  });

  it("ignores and restores a changed configuration of the mirror", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    await fetch(repo, [sha]);
    const canary = path.join(world.root, "config-canary");
    const config = path.join(mirror(repo), "config");
    runGit(world.root, "config", "--file", config, "core.fsmonitor", `touch ${canary}`);
    runGit(world.root, "config", "--file", config, "protocol.ext.allow", "always");
    runGit(world.root, "config", "--file", config, "core.sshCommand", `touch ${canary}`);
    runGit(
      world.root,
      "config",
      "--file",
      config,
      `url.ext::touch ${canary}.insteadOf`,
      world.server.origin,
    );
    const hook = path.join(mirror(repo), "hooks/reference-transaction");
    mkdirSync(path.dirname(hook));
    writeFileSync(hook, `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    await fetch(repo, [remote.commit({ "a.txt": "b\n" })]);
    await world.git.diff(repo, sha, sha, 100);
    expect(readdirSync(world.root)).not.toContain("config-canary");
    expect(runGit(mirror(repo), "config", "--local", "--name-only", "--list").split("\n")).toEqual([
      "core.repositoryformatversion",
      "core.filemode",
      "core.bare",
      "core.sharedrepository",
    ]);
  });
});
