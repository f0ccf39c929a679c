import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RepoRef } from "../../src/core/job.ts";
import type { Busy, LeftoverStore, SharedStore } from "../../src/core/ports.ts";
import { createJanitor } from "../../src/jobs/janitor.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { silentLog } from "../support/log.ts";
import { runGit } from "../support/repository.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

const HUGE_MB = 1_000_000;
const idle: Busy = { job: () => false, repository: () => false };

function mirror(repo: RepoRef): string {
  return path.join(world.workDir, "mirrors", `${repo.id}.git`);
}

/** A janitor over the world's files; `over` says which jobs have ended, and `acts` is what it asked for. */
function janitor(options: {
  over: (ids: string[]) => { id: string; held: boolean }[];
  busy?: Busy;
  dataMb?: number;
  held?: boolean;
}) {
  const acts: string[] = [];
  const letGo: string[] = [];
  const leftovers: LeftoverStore = {
    over: async (ids) => options.over(ids),
    leftRefs: async () => [],
    revive: async () => 0,
    prune: async () => 0,
  };
  const shared: Pick<SharedStore, "hold" | "letGo"> = {
    hold: async () => options.held !== true,
    letGo: async (name) => void letGo.push(name),
  };
  const made = createJanitor({
    premises: { ...world.git.premises, size: () => world.git.premises.size(world.workDir) },
    leftovers,
    shared: shared as SharedStore,
    outbox: { put: async ({ key }) => void acts.push(key) },
    busy: options.busy ?? idle,
    owner: "here/1",
    worker: "here",
    keep: { dataMb: options.dataMb ?? HUGE_MB, days: 90 },
    log: silentLog,
  });
  return { ...made, acts, letGo };
}

it("removes workspaces, registrations and refs of ended jobs, and of nobody else", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a\n" });
  const opened = [];
  for (const id of ["ended", "held", "live", "busy"]) {
    const workspace = await world.open(repo, sha, id);
    await world.agent(workspace, `echo ${id} >${id}.txt`);
    const taken = await world.git.snapshot(workspace, repo, sha, "Change it");
    expect(taken.status).toBe("change");
    opened.push(workspace.tree);
  }
  const { round, letGo } = janitor({
    over: (ids) => ids.filter((id) => id !== "live").map((id) => ({ id, held: id === "held" })),
    busy: { job: (id) => id === "busy", repository: () => false },
  });
  await round();
  expect(opened.map((tree) => existsSync(tree))).toEqual([false, false, true, true]);
  const refs = runGit(
    mirror(repo),
    "for-each-ref",
    "--format=%(refname:lstrip=3)",
    "refs/draftsmith",
  );
  // What is held may still be let out; what runs is told by whoever runs it.
  expect(refs.split("\n").toSorted()).toEqual(["held", "live"]);
  const listed = runGit(mirror(repo), "worktree", "list");
  expect([/ended/, /held/, /live/, /busy/].map((name) => name.test(listed))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(letGo).toEqual(["janitor:here", "janitor"]);
});

it("does nothing while another has its lease", async () => {
  const { repo, remote } = world.repository();
  const { tree } = await world.open(repo, remote.commit({ "a.txt": "a\n" }), "theirs");
  await janitor({ over: (ids) => ids.map((id) => ({ id, held: false })), held: true }).round();
  expect(existsSync(tree)).toBe(true);
});

it("removes the mirrors that were used longest ago, and takes no job when that is not enough", async () => {
  const made = [0, 1, 2].map(() => world.repository());
  for (const [at, { repo, remote }] of made.entries()) {
    await world.git.fetch(repo, [remote.commit({ "a.txt": `${at}\n` })], world.token);
    const used = Date.now() / 1000 - 1000 * (3 - at);
    utimesSync(path.join(mirror(repo), "HEAD"), used, used);
  }
  const [oldest, next, newest] = made.map(({ repo }) => repo);
  if (!oldest || !next || !newest) throw new Error("three were made");
  const busy = { job: () => false, repository: (id: number) => id === oldest.id };
  const freed = await world.git.premises.shrink(1, busy);
  expect(freed).toBeGreaterThan(1);
  expect([oldest, next, newest].map((repo) => existsSync(mirror(repo)))).toEqual([
    true,
    false,
    true,
  ]);
  // It comes back when somebody needs it.
  const sha = made[1]?.remote.git("rev-parse", "HEAD") ?? "";
  await world.git.fetch(next, [sha], world.token);

  const { repo, remote } = world.repository();
  const workspace = await world.open(repo, remote.commit({ "a.txt": "a\n" }), "large");
  await world.agent(workspace, "head -c 30000000 /dev/urandom >blob");
  const full = janitor({ over: () => [], dataMb: 16 });
  await full.round();
  expect(full.full()).toMatch(/^DATA_DIR takes \d+ MB of the 16 MB it may \(DRAFTSMITH_DATA_MB\)$/);
  expect(existsSync(workspace.tree)).toBe(true);
  expect(existsSync(mirror(repo))).toBe(true);
  await world.git.close("large", repo);
  await vi.waitFor(() => expect(readdirSync(path.join(world.workDir, "trash"))).toEqual([]), {
    timeout: 20_000,
  });
  await full.round();
  expect(full.full()).toBeNull();
});

it("clears what dead processes left: half registrations, locks, trash, a mirror that is no repository", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ "a.txt": "a\n" });
  await world.git.fetch(repo, [sha], world.token);
  const half = path.join(mirror(repo), "worktrees", "half");
  mkdirSync(half, { recursive: true });
  const lock = path.join(mirror(repo), "packed-refs.lock");
  writeFileSync(lock, "");
  const hourAgo = Date.now() / 1000 - 3600;
  for (const file of [half, lock]) utimesSync(file, hourAgo, hourAgo);
  mkdirSync(path.join(world.workDir, "trash", "left", "deep"), { recursive: true });
  mkdirSync(path.join(world.workDir, "mirrors", "77.git"));
  const { round } = janitor({ over: () => [] });
  await round();
  expect([half, lock].map((file) => existsSync(file))).toEqual([false, false]);
  await vi.waitFor(() => expect(readdirSync(path.join(world.workDir, "trash"))).toEqual([]), {
    timeout: 20_000,
  });
  expect(await world.git.file(repo, sha, "a.txt", 100)).toBe("a\n");
});

it("runs in a loop beside eight jobs, and takes nothing from any of them", {
  timeout: 180_000,
}, async () => {
  const made = [0, 1].map(() => world.repository());
  const running = new Map<string, number>();
  const ended = new Set<string>();
  const busy: Busy = {
    job: (id) => running.has(id),
    repository: (id) => [...running.values()].includes(id),
  };
  const { round } = janitor({
    over: (ids) => ids.filter((id) => ended.has(id)).map((id) => ({ id, held: false })),
    busy,
    // Below what one mirror takes: every round wants to remove all of them.
    dataMb: 0,
  });
  let working = true;
  let rounds = 0;
  const sweeping = (async () => {
    for (; working; rounds += 1) await round();
  })();
  const jobs = Array.from({ length: 8 }, async (_, at) => {
    const { repo, remote } = made[at % 2] ?? world.repository();
    const id = `beside-${at}`;
    const sha = remote.commit({ "a.txt": `${at}\n` }, { branch: id });
    running.set(id, repo.id);
    const workspace = await world.open(repo, sha, id);
    await world.agent(workspace, `echo ${at} >made.txt`);
    const taken = await world.git.snapshot(workspace, repo, sha, "Make it");
    if (taken.status !== "change") throw new Error(`job ${id} made no change`);
    const text = await world.git.file(repo, taken.commit, "made.txt", 100);
    await world.git.close(id, repo);
    running.delete(id);
    ended.add(id);
    return text;
  });
  const texts = await Promise.all(jobs).finally(() => {
    working = false;
  });
  await sweeping;
  expect(texts).toEqual(Array.from({ length: 8 }, (_, at) => `${at}\n`));
  expect(rounds).toBeGreaterThan(0);
  await round();
  const left = readdirSync(path.join(world.workDir, "workspaces"));
  expect(left.filter((name) => name.startsWith("beside"))).toEqual([]);
});
