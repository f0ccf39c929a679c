import { afterAll, expect, it } from "vitest";
import { openFaultWorld } from "../support/fault-world.ts";
import { taskOf } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { STAGE } from "./plots.ts";

/** Every process that asks the model about a task of poison dies. */
const faults = await openFaultWorld({
  ...STAGE,
  config: "",
  env: { DRAFTSMITH_CONCURRENCY: "4", DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: "4" },
  model: (request, number) => {
    const task = taskOf(request);
    const replies = request.messages.filter(({ role }) => role === "assistant").length;
    if (task.includes("poison") && replies > 0) {
      faults.world.child().kill("SIGKILL");
      return new Promise(() => undefined);
    }
    if (task.includes("poison")) {
      return { toolCalls: [{ name: "shell", arguments: { command: "true" } }] };
    }
    return STAGE.model(request, number);
  },
});
afterAll(() => faults.end());
const { world } = faults;

/** Starts the server again as often as it dies; how often it did before the board was at its end. */
async function deathsUntil(ended: Promise<string>): Promise<number> {
  for (let deaths = 0; ; deaths += 1) {
    const died = faults.death().then(() => true);
    if (!(await Promise.race([died, ended.then(() => false)]))) return deaths;
    await world.start();
  }
}

/** How often a server dies of it: three times alone, and before that as often with other jobs at most. */
const POISONED = [
  { others: 0, least: 3, most: 3 },
  { others: 2, least: 3, most: 6 },
];

it.each(POISONED)(
  "poison-01 a job kills its server each time, and $others others are under way: they end done, and it alone has failed and says why",
  { timeout: 180_000 * PATIENCE },
  async ({ others, least, most }) => {
    const issue = world.issue({ title: "Poison", body: "Please." });
    const makes = Array.from({ length: others }, (_, at) => `- make ${others}-${at}.txt`);
    await world.say(["/codex", "- drink the poison", ...makes].join("\n"), issue);
    const ended = world.ended(issue);
    const deaths = await deathsUntil(ended);
    expect(deaths).toBeGreaterThanOrEqual(least);
    expect(deaths).toBeLessThanOrEqual(most);
    const board = await ended;
    expect(board.match(/✅ done/g) ?? []).toHaveLength(others);
    expect(board).toMatch(
      /❌ failed.*the server died 3 times while it worked on this job alone.*the server's log/,
    );
    expect(await faults.wrongs()).toEqual([]);
  },
);
