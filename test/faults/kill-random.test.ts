import { afterAll, expect, it } from "vitest";
import { openFaultWorld } from "../support/fault-world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { type Plot, preparePlot, STAGE, say } from "./plots.ts";
import { nightly } from "./size.ts";

/** On each store. */
const ROUNDS = nightly ? 150 : 15;
/** Deaths while one set of commands is carried out. */
const DEATHS = 3;
/** About how many failpoints a set passes between two deaths. */
const PASSED = 500;

const seed = Number(process.env.DRAFTSMITH_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
let state = seed;

/** A whole number below `limit`: the same ones for the same seed (mulberry32). */
function random(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
}

const faults = await openFaultWorld(STAGE);
afterAll(() => faults.end());

it.each(Array.from({ length: ROUNDS / DEATHS }, (_, set) => [set * DEATHS + 1, seed]))(
  "kill-02 kill -9 at three random moments of four jobs, a follow-up and an allow among them: round %i, seed %i",
  { timeout: 240_000 * PATIENCE },
  async (round) => {
    const { world } = faults;
    const names = ["make", "follow", "allow", "make"] as const;
    const plots: Plot[] = await Promise.all(
      names.map((name, index) => preparePlot(name, faults, `round-${round}-${index}.txt`)),
    );
    const arm = () =>
      faults.arm([{ at: "*", nth: 1 + random(PASSED), do: "kill", laterMs: random(30) }]);
    await arm();
    let death = faults.death();
    const deliveries = await Promise.all(plots.map((plot) => say(world, plot)));
    for (let deaths = 1; ; deaths++) {
      const ended = Promise.allSettled(plots.map((plot) => plot.ended()));
      // Nothing is left to disturb: its hour has come all the same.
      if (await Promise.race([death.then(() => false), ended.then(() => true)])) {
        await world.stop("SIGKILL");
      }
      await world.start();
      if (deaths === DEATHS) break;
      await arm();
      death = faults.death();
      await Promise.all(deliveries.map((deliver) => deliver()));
    }
    await Promise.all(deliveries.map((deliver) => deliver()));
    await Promise.all(plots.map((plot) => plot.ended()));
    expect(await faults.wrongs()).toEqual([]);
    expect(plots.map((plot) => plot.outcome())).toEqual(plots.map(() => "one pull request"));
  },
);
