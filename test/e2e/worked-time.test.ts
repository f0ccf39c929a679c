import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Spend } from "../../src/core/job.ts";
import { startWorld } from "../support/world.ts";

test("what a job worked before its server died counts for its time limit", {
  timeout: 90_000,
}, async () => {
  const second = Promise.withResolvers<void>();
  let asked = 0;
  const world = await startWorld({
    config: "limits: { minutes: 5 }\n",
    model: () => {
      asked += 1;
      if (asked === 1) {
        const call = { name: "write", arguments: { path: "a.txt", content: "a\n" } };
        return { toolCalls: [call] };
      }
      second.resolve();
      return new Promise(() => undefined);
    },
  });
  await world.say("/codex do it");
  await second.promise;
  await world.stop("SIGKILL");

  const database = new DatabaseSync(path.join(world.dataDir, "draftsmith.db"));
  const [row] = database.prepare("select spend from jobs").all();
  const spend: Spend = JSON.parse(String(row?.spend));
  expect(spend.workedMs).toBeGreaterThan(0);
  // As if it had taken all of its five minutes.
  const long = JSON.stringify({ ...spend, workedMs: 5 * 60_000 });
  database.prepare("update jobs set spend = ?").run(long);
  database.close();

  await world.start();
  expect(await world.ended()).toMatch(/💸 over budget.*time limit/);
  expect(asked).toBe(2);
  expect(world.pulls()).toHaveLength(1);
});
