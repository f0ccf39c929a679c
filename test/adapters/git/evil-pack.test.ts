import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGit } from "../../../src/adapters/git/git.ts";
import type { RepoRef } from "../../../src/core/job.ts";
import type { Sandbox, Snapshot } from "../../../src/core/ports.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { silentLog } from "../../support/log.ts";
import { runGit } from "../../support/repository.ts";
import { TEST_USER } from "../../support/workspace.ts";

/**
 * What if the sandbox itself were in an attacker's hand? Here the stream that comes out of it is not
 * git's, but made by hand.
 */
let world: GitWorld;
let repo: RepoRef;
let sha: string;
let mirror: string;
let scratch: string;
let made = 0;
beforeAll(async () => {
  world = await makeGitWorld();
  const { repo: ref, remote } = world.repository();
  repo = ref;
  sha = remote.commit({ "a.txt": "a\n" });
  await world.git.fetch(repo, [sha], world.token);
  mirror = path.join(world.workDir, "mirrors", `${repo.id}.git`);
  scratch = path.join(world.root, "scratch.git");
  mkdirSync(scratch);
  runGit(scratch, "init", "-q", "--bare");
});
afterAll(() => world.close());

/** Lets `stream` come out where the taken tree should. */
async function takeInstead(stream: Buffer): Promise<Snapshot> {
  const sandbox: Sandbox = {
    check: async () => ({ ok: true }),
    room: async () => null,
    async run(command) {
      const { stdout } = command;
      if (!stdout) return world.sandbox.run(command);
      await new Promise<void>((resolve) => stdout.end(stream, () => resolve()));
      return { exitCode: 0, stopped: null, output: "", durationMs: 1, deniedHosts: [] };
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
  made += 1;
  const workspace = await git.open({ jobId: `evil-${made}`, repo, sha, fence: 1, resume: null });
  const before = [mirrorState(), readdirSync(path.dirname(mirror)).join()];
  try {
    return await git.snapshot(workspace, repo, sha, "x");
  } finally {
    expect([mirrorState(), readdirSync(path.dirname(mirror)).join()]).toEqual(before);
  }
}

function mirrorState(): string {
  const top = readdirSync(mirror).filter((name) => name !== "worktrees");
  return [runGit(mirror, "count-objects", "-v"), runGit(mirror, "for-each-ref"), ...top].join("\n");
}

function object(type: string, content: string | Buffer): string {
  const args = ["hash-object", "--literally", "-t", type, "-w", "--stdin"];
  return execFileSync("git", args, { cwd: scratch, input: content, encoding: "utf8" }).trim();
}

function tree(...entries: [mode: string, name: string, id: string][]): string {
  const parts = entries.map(([mode, name, id]) => [
    Buffer.from(`${mode} ${name}\0`),
    Buffer.from(id, "hex"),
  ]);
  return object("tree", Buffer.concat(parts.flat()));
}

function stream(first: string, ids: string[]): Buffer {
  const input = `${ids.join("\n")}\n`;
  const pack = execFileSync("git", ["pack-objects", "-q", "--stdout"], { cwd: scratch, input });
  return Buffer.concat([Buffer.from(`${first}\n`), pack]);
}

describe("a pack made by hand", () => {
  it("is refused when a tree holds .git, or links .gitmodules", async () => {
    const blob = object("blob", "[core]\n\tfsmonitor = touch /tmp/x\n");
    const config = tree(["100644", "config", blob]);
    const linked = object("blob", "elsewhere");
    const evil = [
      [tree(["40000", ".git", config]), config, blob],
      [tree(["40000", ".g\u200cit", config]), config, blob],
      [tree(["40000", "git~1", config]), config, blob],
      [tree(["120000", ".gitmodules", linked]), linked],
      [tree(["100644", "..", blob]), blob],
      [tree(["100644", "a/b", blob]), blob],
      [tree(["100644", "x", blob], ["100644", "x", blob]), blob],
    ];
    for (const [root = "", ...rest] of evil) {
      expect(await takeInstead(stream(root, [root, ...rest]))).toMatchObject({
        status: "refused",
        reason: expect.stringMatching(/^git's check of the new files failed/),
      });
    }
  });

  it("is refused when objects are missing, or the tree is none", async () => {
    const root = tree(["100644", "x", object("blob", "present")]);
    const commit = object("blob", "a blob");
    const blobOfMirror = runGit(mirror, "rev-parse", `${sha}:a.txt`);
    const evil = [
      stream(root, [root]),
      stream(commit, [commit]),
      Buffer.from(`${"1".repeat(40)}\n`),
      Buffer.from(`${blobOfMirror}\n`),
      Buffer.from(`${sha}\n`),
    ];
    for (const each of evil) expect((await takeInstead(each)).status).toBe("refused");
  });

  it("is refused when it is no pack, or claims endless objects", async () => {
    const root = tree(["100644", "x", object("blob", "x")]);
    const head = Buffer.from("PACK\0\0\0\u0002\0\0\0\u0001", "latin1");
    // A blob, then a delta, of 2^39 bytes by its own word.
    const size = [0xb0, 0x80, 0x80, 0x80, 0x80, 0x40];
    const delta = [0xf0, 0x80, 0x80, 0x80, 0x80, 0x40, ...Buffer.alloc(20, 1)];
    const evil = [
      Buffer.from("no pack at all"),
      Buffer.alloc(1_000_000, 65),
      Buffer.concat([head, Buffer.from(size), deflateSync("short")]),
      Buffer.concat([head, Buffer.from(delta), deflateSync("short")]),
    ];
    for (const each of evil) {
      const whole = Buffer.concat([Buffer.from(`${root}\n`), each]);
      expect((await takeInstead(whole)).status).toBe("refused");
    }
  });

  it("is an error when the first line is not an id", async () => {
    for (const first of ["--help\n", "HEAD\n", "\n", "", "x".repeat(10_000)]) {
      const outcome = await takeInstead(Buffer.from(first)).catch((error: unknown) =>
        String(error),
      );
      expect(JSON.stringify(outcome)).toMatch(/not a full object id|refused/);
    }
  });
});
