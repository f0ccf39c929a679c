import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { openFaultWorld } from "../support/fault-world.ts";
import { onPostgres } from "../support/open-test-store.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { type Plot, type PlotName, preparePlot, STAGE, say } from "./plots.ts";
import { nightly } from "./size.ts";

/** What timers do, as often as there is time: its turn comes in the rounds at random moments. */
const BY_THE_CLOCK =
  /^store\.(toStop|renew|seen|ahead|waiting|queued|served|place|endedSince|hold|letGo|cursor|setCursor|came|owe|owed|ask|settle|forget)|^github\.(sent|sendAgain)/;
/** How long after the told ending a point may still come: what is tidied up then. */
const TIDYING_MS = 5_000;
/** How often these happen is decided by time, too; the first is played. */
const OFTEN =
  /^store\.(take|dueIn|claimNext|putTold|done:comment|known)|^sandbox\.(room|check)|:comment:/;
/** Where a follow-up and an allowed change go other ways under the same names. */
const OTHERWISE = /^(github\.perform|store\.(putHeld|write)):/;
/** Of the points, how many are played in everyday runs. */
const ONE_OF = nightly ? 1 : 40;

const faults = await openFaultWorld(STAGE);
afterAll(() => faults.end());
const { world } = faults;
const atStart = new Set(faults.passed().map(({ name }) => name));
const points = [
  ...[...atStart].map((at) => ({ at, nth: 1, plot: "start" as const })),
  ...(await recorded("make")),
  ...(await recorded("follow")),
  ...(await recorded("allow")),
]
  .filter(({ at, plot }, _, all) => {
    const first = all.findIndex((other) => other.at === at);
    return all[first]?.plot === plot || OTHERWISE.test(at);
  })
  .filter((_, index) => index % ONE_OF === (onPostgres ? Math.floor(ONE_OF / 2) : 0));

/** The failpoints of an undisturbed plot, in their order. */
async function recorded(name: PlotName) {
  const plot = await preparePlot(name, faults, `${name}-clean.txt`);
  const before = faults.passed().length;
  await say(world, plot);
  await plot.ended();
  await faults.wrongs();
  const counts = new Map<string, number>();
  return faults
    .passed()
    .slice(before)
    .flatMap(({ name: at }) => {
      const nth = (counts.get(at) ?? 0) + 1;
      counts.set(at, nth);
      return BY_THE_CLOCK.test(at) || (OFTEN.test(at) && nth > 1) ? [] : [{ at, nth, plot: name }];
    });
}

let count = 0;

it.each(points)(
  "kill-01 kill -9 at $at, time $nth, while people $plot",
  {
    timeout: 180_000 * PATIENCE,
  },
  async ({ at, nth, plot: name }) => {
    count += 1;
    const fault = { at, nth, do: "kill" } as const;
    if (name === "start") {
      await world.stop("SIGKILL");
      await expect(world.start({ FAULTS: JSON.stringify([fault]) })).rejects.toThrow("ended");
      await world.start();
    }
    const plot = await preparePlot(name === "start" ? "make" : name, faults, `point-${count}.txt`);
    if (name !== "start") await faults.arm([fault]);
    const death = faults.death();
    const deliver = await say(world, plot);
    if (name !== "start") {
      await Promise.race([death, missed(plot)]);
      await world.stop("SIGKILL");
      await world.start();
    }
    await deliver();
    await plot.ended();
    expect(await faults.wrongs()).toEqual([]);
    expect(plot.outcome()).toBe("one pull request");
  },
);

/** Resolves when the point did not come this time: how often some do is decided by who is faster. */
async function missed(plot: Plot): Promise<void> {
  await plot.ended().catch(() => undefined);
  await delay(TIDYING_MS * PATIENCE);
}
