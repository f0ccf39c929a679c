import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import { armFaults, dozing } from "../support/fault-world.ts";
import { join, startWebWorld } from "../support/fleet.ts";
import { silentLog } from "../support/log.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { taskOf } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { costOf, inOrder, momentsOf, writes } from "./moments.ts";

/** Within which a job of a worker that died is at work elsewhere: a lease of 15 s, and how often is looked. */
const TAKEN_OVER_MS = 30_000;

const moments = momentsOf("killed");
const names = moments.map(({ name }) => name);

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

test("killed-01 one of two workers is killed -9, with a job at each of the moments: the other has all of them within 30 s", {
  timeout: 600_000 * PATIENCE,
}, async () => {
  const url = await server.database();
  const place = { url, log: silentLog };
  const world = await startWebWorld(url, { model: writes });
  const worker = (name: string, how: { faulty: boolean }) => {
    const room = String(names.length);
    const env = { DRAFTSMITH_CONCURRENCY: room, DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: room };
    const dir = { DATABASE_URL: url, DATA_DIR: path.join(world.home, name) };
    return join(world, ["worker"], { ...env, ...dir }, how);
  };
  const first = await worker("first", { faulty: true });
  await armFaults(
    first.child,
    moments.map(({ name, at }) => ({ at, nth: 1, do: "doze", about: name })),
  );
  const issues = new Map<string, number>();
  for (const batch of inOrder(names, moments)) {
    const doze = dozing(first.child, batch.length);
    for (const name of batch) {
      const issue = world.issue({ title: name, body: "Please." });
      issues.set(name, issue);
      await world.say(`/codex add ${name}`, issue);
    }
    await doze;
  }
  await worker("second", { faulty: false });
  const id = readFileSync(path.join(world.home, "first", "worker-id"), "utf8").trim();
  const held = await fences(`lease_owner like '${id}/%' and ended_at is null`);
  await first.stop("SIGKILL");
  const killedAt = performance.now();
  const took = new Map<string, number>();
  await vi.waitFor(
    async () => {
      // Ended ones have been claimed as well.
      for (const [name, fence] of await fences("fence > 1")) {
        if (took.has(name) || fence <= (held.get(name) ?? fence)) continue;
        took.set(name, Math.round(performance.now() - killedAt));
      }
      expect([...took.keys()].sort()).toEqual([...held.keys()].sort());
    },
    { timeout: 60_000 * PATIENCE, interval: 100 },
  );
  console.info(`taken over after, ms: ${[...took.values()].sort((a, b) => a - b).join(", ")}`);
  expect(Math.max(...took.values())).toBeLessThan(TAKEN_OVER_MS * PATIENCE);

  /** Of the jobs whose rows are so. */
  async function fences(which: string): Promise<Map<string, number>> {
    const rows = await sqlOn(place, `select spec, fence from jobs where ${which}`);
    return new Map(
      rows.map(({ spec, fence }) => {
        const { task } = JSON.parse(String(spec)) as { task: string };
        return [task.replace("add ", ""), Number(fence)];
      }),
    );
  }

  await Promise.all([...issues.values()].map((issue) => world.ended(issue)));
  for (const moment of moments) {
    const { name } = moment;
    const issue = issues.get(name) ?? 0;
    expect(world.answers(issue).map(({ body }) => /✅ done/.test(body))).toEqual([true]);
    const pulls = world.pulls().filter(({ head }) => head.startsWith(`codex/${issue}-`));
    expect([name, pulls.length]).toEqual([name, 1]);
    const log = ["log", "--format=%P", "--name-status", `main..${pulls[0]?.head}`];
    expect(await git(world.bare, log)).toBe(`${world.baseSha}\n\nA\t${name}.txt`);
    const asked = world.model.requests.filter(({ body }) => taskOf(body).includes(name));
    expect([name, asked.length]).toEqual([name, 2 + costOf(moment).asked]);
  }
});
