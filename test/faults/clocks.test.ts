import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import { join, startWebWorld } from "../support/fleet.ts";
import { silentLog } from "../support/log.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { startPostgres } from "../support/postgres.ts";
import { plays } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

const CLOCK = fileURLToPath(new URL("../support/shifted-clock.ts", import.meta.url));
const LOOP = fileURLToPath(new URL("../support/blocked-loop.ts", import.meta.url));
const MINUTES_MS = 60_000;
/** Longer than a lease lasts, and than another looks for jobs. */
const BLOCKED_MS = 20_000;
const SOON = { timeout: 60_000 * PATIENCE, interval: 100 };

const write = (file: string) => ({ name: "write", arguments: { path: file, content: "x\n" } });
const play = plays({
  "do it": { calls: [write("a.txt"), write("b.txt")], report: "Write\n\nDone." },
});

test("clocks-01 the clocks of two workers are twenty minutes apart, and the event loop of the one at work stands still: the other takes over, and nothing is done twice", {
  timeout: 180_000 * PATIENCE,
}, async () => {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.stop());
  const url = await postgres.database();
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  let requests = 0;
  const world = await startWebWorld(url, {
    model: async (request) => {
      requests += 1;
      if (requests === 2) {
        asked.resolve();
        await answered.promise;
      }
      return play(request);
    },
  });
  const worker = (name: string, aheadMs: number) => {
    const clock = path.join(world.home, `${name}.clock`);
    writeFileSync(clock, String(aheadMs));
    return join(world, ["worker"], {
      DATABASE_URL: url,
      DATA_DIR: path.join(world.home, name),
      SHIFTED_CLOCK: clock,
      NODE_OPTIONS: `--import=${CLOCK} --import=${LOOP}`,
      BLOCKED_MS: String(BLOCKED_MS),
    });
  };
  const slow = await worker("slow", -10 * MINUTES_MS);
  await world.say("/codex do it");
  await asked.promise;
  const fast = await worker("fast", 10 * MINUTES_MS);
  slow.child.kill("SIGUSR2");
  await vi.waitFor(() => expect(slow.log()).toContain("stands still"), SOON);
  // The reply comes while nobody can read it.
  answered.resolve();
  expect(await world.ended(), fast.log().slice(-4000)).toContain("✅ done");
  await vi.waitFor(() => expect(slow.log()).toContain("given up here"), SOON);

  expect(world.pulls()).toHaveLength(1);
  expect(world.answers()).toHaveLength(1);
  const head = world.pulls()[0]?.head;
  expect(await git(world.bare, ["rev-list", "--count", `main..${head}`])).toBe("1");
  // Three replies, and once more the one that was under way.
  expect(world.model.requests).toHaveLength(4);
  expect(await sqlOn({ url, log: silentLog }, "select fence from jobs")).toEqual([{ fence: 2 }]);
  expect([await slow.stop("SIGTERM"), await fast.stop("SIGTERM")]).toEqual([0, 0]);
});
