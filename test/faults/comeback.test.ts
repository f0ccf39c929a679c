import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { SUSPECT_AFTER } from "../../src/core/job.ts";
import { openFaultWorld } from "../support/fault-world.ts";
import type { ScriptedReply } from "../support/model-server.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { STAGE } from "./plots.ts";
import { nightly } from "./size.ts";

const JOBS = 20;
const DEATHS = nightly ? 15 : 3;
/** What a start may take on any machine; on a quiet one it is well below 3 s. */
const START_MS = 15_000;

/** Replies that wait for their turn, so that all jobs are under way at once. */
const waiting: (() => void)[] = [];
let holds = true;

const faults = await openFaultWorld({
  ...STAGE,
  config: "",
  env: {
    DRAFTSMITH_CONCURRENCY: String(JOBS),
    DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: String(JOBS),
  },
  model: async (request): Promise<ScriptedReply> => {
    if (holds) await new Promise<void>((resolve) => waiting.push(resolve));
    return STAGE.model(request, 0);
  },
});
afterAll(() => faults.end());

it("kill-03 twenty jobs are under way, and kill -9 comes again and again", {
  timeout: 500_000 * PATIENCE,
}, async () => {
  const { world } = faults;
  const { requests } = world.model;
  const issues: number[] = [];
  for (let job = 0; job < JOBS; job++) {
    const issue = world.issue({ title: `Job ${job}`, body: "Please." });
    issues.push(issue);
    await world.say(`/codex make file-${job}.txt`, issue);
  }
  const starts: number[] = [];
  const cpu: number[] = [];
  let asked = 0;
  for (let death = 1; death <= DEATHS; death++) {
    // All of them ask the model again, as many as there are, until they are tried one by one.
    asked += death <= SUSPECT_AFTER ? JOBS : 1;
    await expect
      .poll(() => requests.length, { timeout: 60_000 * PATIENCE, interval: 50 })
      .toBeGreaterThanOrEqual(asked);
    await world.stop("SIGKILL");
    const begun = performance.now();
    await world.start();
    starts.push(Math.round(performance.now() - begun));
    cpu.push(cpuOf(world.child().pid ?? 0));
  }
  holds = false;
  for (const release of waiting) release();
  await expect
    .poll(() => world.pulls().length, { timeout: 200_000 * PATIENCE, interval: 100 })
    .toBe(JOBS);
  await Promise.all(issues.map((issue) => world.ended(issue)));
  console.info(`from start to listening, ms: ${starts.join(", ")}; of it CPU: ${cpu.join(", ")}`);
  expect(Math.max(...starts)).toBeLessThan(START_MS * PATIENCE);
  expect(await faults.wrongs()).toEqual([]);
  expect(world.pulls()).toHaveLength(JOBS);
});

/** What a process and its threads computed so far, in ms: Linux counts in hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
