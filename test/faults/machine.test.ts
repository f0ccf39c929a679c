import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { sqlOn } from "../support/open-test-store.ts";
import { mayMount, smallDisk } from "../support/small-disk.ts";
import { plays, startWorld, type World } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

const CLOCK = fileURLToPath(new URL("../support/shifted-clock.ts", import.meta.url));
const DAY_MS = 24 * 60 * 60_000;
const LONG = { timeout: 120_000 * PATIENCE };
const SOON = { timeout: 40_000 * PATIENCE, interval: 100 };

const write = (file: string) => ({ name: "write", arguments: { path: file, content: "x\n" } });
const play = plays({
  "do it": { calls: [write("a.txt"), write("b.txt"), write("c.txt")], report: "Write\n\nDone." },
});

async function health(world: World): Promise<number> {
  const { origin } = new URL(world.github.hook.url ?? "");
  const answered = await fetch(`${origin}/healthz`);
  await answered.body?.cancel();
  return answered.status;
}

/** What is left of jobs below the directory that a server works in. */
function leftIn(workDir: string): string[] {
  return ["workspaces", "trash"].flatMap((name) => readdirSync(path.join(workDir, name)));
}

test.runIf(mayMount)(
  "machine-01 the disk is full while a job works and a comment comes: nothing is half stored, and all goes on when there is room",
  LONG,
  async () => {
    const disk = smallDisk(120);
    const filled = Promise.withResolvers<void>();
    let full = false;
    const world = await startWorld({
      env: { DATA_DIR: path.join(disk.dir, "data"), DRAFTSMITH_FREE_MB: "0" },
      model: (request, number) => {
        if (number === 2 && !full) {
          full = true;
          disk.fill();
          filled.resolve();
        }
        return play(request);
      },
    });
    expect(await health(world)).toBe(200);
    await world.say("/codex do it");
    await filled.promise;
    await vi.waitFor(async () => expect(await health(world)).toBe(503), SOON);
    await world.say("/codex do it twice");
    await vi.waitFor(() => expect(world.log()).toContain("a webhook could not be taken"), SOON);
    expect(world.log()).toContain("free some space; the server goes on by itself");

    disk.free();
    await vi.waitFor(async () => expect(await health(world)).toBe(200), SOON);
    expect(await world.ended()).toContain("✅ done");
    expect(world.pulls()).toHaveLength(1);
    expect(await world.show(`${world.pulls()[0]?.head}:c.txt`)).toBe("x");
    // The comment that got 503 is GitHub's to deliver again; nothing of it was kept.
    expect(world.answers()).toHaveLength(1);
    await vi.waitFor(() => expect(leftIn(path.join(disk.dir, "data/work"))).toEqual([]), SOON);
  },
);

test.runIf(mayMount)(
  "machine-02 the disk is read-only at the start: it is refused with the remedy, and goes on when it can be written",
  LONG,
  async () => {
    const disk = smallDisk(120);
    const dataDir = path.join(disk.dir, "data");
    const world = await startWorld({ env: { DATA_DIR: dataDir }, model: play });
    await world.stop("SIGTERM");
    disk.readOnly(true);
    await expect(world.start()).rejects.toThrow(/DATA_DIR: .*read-only.*choose a directory/i);
    disk.readOnly(false);
    await world.start();
    await world.say("/codex do it");
    expect(await world.ended()).toContain("✅ done");
  },
);

test(
  "machine-03 the database is damaged: the start is refused with the remedy, and the file left as it is",
  LONG,
  async () => {
    const world = await startWorld({ model: play });
    await world.say("/codex do it");
    await world.ended();
    await world.stop("SIGTERM");
    const file = path.join(world.dataDir, "draftsmith.db");
    const sound = readFileSync(file);
    const damaged = Buffer.from(sound);
    damaged.fill(0x5a, 4096 * 2, 4096 * 12);
    writeFileSync(file, damaged);
    const before = createHash("sha256").update(damaged).digest("hex");
    await expect(world.start()).rejects.toThrow(/restore the last backup/);
    expect(createHash("sha256").update(readFileSync(file)).digest("hex")).toBe(before);
    // As restored from a backup.
    writeFileSync(file, sound);
    await world.start();
    await world.say("/codex do it");
    await world.ended(1, 2);
  },
);

test(
  "machine-04 the clock is set a day on and back while a job works: it is neither taken over nor out of time",
  LONG,
  async () => {
    let clock = "";
    const world = await startWorld({
      launcher: (home) => {
        clock = path.join(home, "clock");
        return ["env", `SHIFTED_CLOCK=${clock}`, `NODE_OPTIONS=--import=${CLOCK}`];
      },
      model: (request, number) => {
        if (number === 2) writeFileSync(clock, String(DAY_MS));
        if (number === 3) writeFileSync(clock, String(-DAY_MS));
        return play(request);
      },
    });
    await world.say("/codex do it");
    expect(await world.ended(), world.log().slice(-6000)).toContain("✅ done");
    expect(world.pulls()).toHaveLength(1);
    expect(world.answers()).toHaveLength(1);
    expect(world.model.requests).toHaveLength(4);
    expect(await sqlOn(world.place, "select fence from jobs")).toEqual([{ fence: 1 }]);
  },
);

test.each([
  ["its pack is cut short", (mirror: string) => cutPacks(mirror, 100)],
  ["its packs are gone", (mirror: string) => cutPacks(mirror, 0)],
  ["its list of refs is garbage", (mirror: string) => spoil(mirror, "packed-refs")],
  ["its HEAD is garbage", (mirror: string) => spoil(mirror, "HEAD")],
])(
  "machine-05 %s while a job works: the mirror is cloned again, the job goes on, and nobody is told",
  LONG,
  async (_, damage) => {
    let world: World | null = null;
    let done = false;
    world = await startWorld({
      model: (request, number) => {
        if (number === 4 && !done) {
          done = true;
          const mirrors = path.join(world?.dataDir ?? "", "work", "mirrors");
          const places = existsSync(mirrors) ? mirrors : (workDirOf(world) ?? "");
          for (const name of readdirSync(places)) damage(path.join(places, name));
        }
        return play(request);
      },
    });
    await world.say("/codex do it");
    const board = await world.ended();
    expect(done).toBe(true);
    expect(board, world.log().slice(-6000)).toContain("✅ done");
    expect(board).not.toMatch(/mirror|damaged|fetched again/);
    expect(world.pulls()).toHaveLength(1);
    expect(await world.show(`${world.pulls()[0]?.head}:c.txt`)).toBe("x");
  },
);

/** Where a root server has its mirrors when its data directory cannot be entered by others. */
function workDirOf(world: World | null): string | null {
  const name = `draftsmith-${createHash("sha256")
    .update(world?.dataDir ?? "")
    .digest("hex")
    .slice(0, 12)}`;
  const found = ["/var/tmp", "/tmp"].map((dir) => path.join(dir, name, "mirrors"));
  return found.find((dir) => existsSync(dir)) ?? null;
}

function cutPacks(mirror: string, size: number): void {
  const packs = path.join(mirror, "objects/pack");
  for (const name of readdirSync(packs)) {
    if (!name.endsWith(".pack")) continue;
    const file = path.join(packs, name);
    chmodSync(file, 0o600);
    truncateSync(file, Math.min(size, statSync(file).size));
    chmodSync(file, 0o444);
  }
}

function spoil(mirror: string, name: string): void {
  writeFileSync(path.join(mirror, name), "\0\0\0garbage\n");
}
