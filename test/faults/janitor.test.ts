import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import { openFaultWorld } from "../support/fault-world.ts";
import { taskOf } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { STAGE } from "./plots.ts";
import { nightly } from "./size.ts";

const HOUR_S = 3600;
/** A job that was never stored. */
const NOBODY = "0199aaaa-0000-7000-8000-000000000001";
const DATA_MB = 256;
const SOON = { timeout: 40_000 * PATIENCE, interval: 100 };

/** Resolves when the job at work gets its answer of the model. */
let answered = Promise.withResolvers<void>();
const faults = await openFaultWorld({
  ...STAGE,
  config: "",
  env: { DRAFTSMITH_DATA_MB: String(DATA_MB) },
  model: async (request, number) => {
    const replies = request.messages.filter(({ role }) => role === "assistant").length;
    if (taskOf(request).includes("live") && replies === 1) {
      await answered.promise;
    }
    return STAGE.model(request, number);
  },
});
afterAll(() => faults.end());
const { world } = faults;
const work = path.join(world.dataDir, "work");

/** What a round does, in its order; the last ones die in the midst of what they do. */
const STEPS = [
  ...["store.hold", "premises.jobs", "store.over", "premises.clear", "premises.size"],
  ...["premises.shrink", "store.letGo", "store.leftRefs", "store.revive", "store.prune"],
].flatMap((step) => [
  { at: `${step}:before`, laterMs: 0 },
  { at: `${step}:after`, laterMs: 0 },
]);
const MIDST = [1, 5, 20, 50].flatMap((laterMs) =>
  ["clear", "shrink"].map((step) => ({ at: `premises.${step}:before`, laterMs })),
);
const EVERY = nightly ? 1 : 12;
const points = [...STEPS, ...MIDST].filter((_, index) => index % EVERY === 7 % EVERY);

let held: string | null = null;

/** Leaves what servers that died may leave, and gives its paths. */
async function leave(mirror: string): Promise<string[]> {
  const put = (file: string, megabytes = 0) => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, "x");
    // Takes the disk without a byte being written.
    if (megabytes > 0) execFileSync("fallocate", ["-l", `${megabytes}M`, file]);
    const longAgo = Date.now() / 1000 - 24 * HOUR_S;
    utimesSync(file, longAgo, longAgo);
    return file;
  };
  const files = [
    put(path.join(work, "workspaces", NOBODY, "tree", "a.txt")),
    put(path.join(work, "workspaces", `${NOBODY}-check`, "tree", "a.txt")),
    put(path.join(work, "trash", "left", "a.txt")),
    put(path.join(mirror, "packed-refs.lock")),
    put(path.join(mirror, "objects", "pack", "tmp_pack_abc123")),
    put(path.join(mirror, "worktrees", "gone", "gitdir")),
    // A mirror that nobody needs, and more than all may take.
    put(path.join(work, "mirrors", "77.git", "blob"), DATA_MB + 16),
  ];
  writeFileSync(path.join(mirror, "worktrees", "gone", "gitdir"), `/nowhere/tree/.git\n`);
  const main = await git(mirror, ["rev-parse", "refs/remotes/origin/main"]);
  await git(mirror, ["update-ref", `refs/draftsmith/jobs/${NOBODY}`, main]);
  return files;
}

function jobRefs(mirror: string): Promise<string> {
  return git(mirror, ["for-each-ref", "--format=%(refname)", "refs/draftsmith/jobs"]);
}

it.each(points)(
  "janitor-01 kill -9 of the server in a round of its janitor, at $at ($laterMs): the next start clears all that was left, and a job at work and a held change keep what is theirs",
  { timeout: 180_000 * PATIENCE },
  async (point) => {
    if (held === null) {
      const issue = world.issue({ title: "Held", body: "Please." });
      await world.say("/codex hold CODEOWNERS", issue);
      expect(await world.ended(issue)).toContain("⛔ blocked");
    }
    const [name = ""] = readdirSync(path.join(work, "mirrors")).filter((each) =>
      /^\d+\.git$/.test(each),
    );
    const mirror = path.join(work, "mirrors", name);
    held ??= await jobRefs(mirror);
    expect(held).toMatch(/^refs\/draftsmith\/jobs\/\S+$/);
    answered = Promise.withResolvers();
    const issue = world.issue({ title: "Live", body: "Please." });
    const asked = world.model.requests.length;
    await world.say(`/codex make live-${issue}.txt`, issue);
    await vi.waitFor(() => expect(world.model.requests.length).toBe(asked + 2), SOON);
    await world.stop("SIGKILL");
    const left = await leave(mirror);
    const fault = { ...point, nth: 1, do: "kill" as const };
    // It may die before it listens, or right after.
    const started = world.start({ FAULTS: JSON.stringify([fault]) });
    await Promise.allSettled([started]);
    await faults.death();

    const before = faults.passed().length;
    await world.start();
    const round = () =>
      faults
        .passed()
        .slice(before)
        .map((each) => each.name);
    await vi.waitFor(() => expect(round()).toContain("store.prune:after"), SOON);
    answered.resolve();
    expect(await world.ended(issue)).toContain("✅ done");
    await vi.waitFor(() => expect(left.filter((file) => existsSync(file))).toEqual([]), SOON);
    await vi.waitFor(() => expect(readdirSync(path.join(work, "trash"))).toEqual([]), SOON);
    const refs = await jobRefs(mirror);
    // That of the job that has just ended goes in the next round.
    expect([refs.includes(held), refs.includes(NOBODY)]).toEqual([true, false]);
    expect(await git(mirror, ["worktree", "list", "--porcelain"])).not.toContain("/nowhere");
    await git(mirror, ["fsck", "--connectivity-only", "--no-dangling"]);
    expect(await faults.wrongs()).toEqual([]);
  },
);
