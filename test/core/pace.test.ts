import { describe, expect, it } from "vitest";
import { hasLimits, pace, slowed, type Wish } from "../../src/core/pace.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FULL = { writes: 0, minute: 0, hour: 0 };
const write: Wish = { creates: false, leaves: 0 };
const create: Wish = { creates: true, leaves: 0 };

/** When each wish was granted that is there from the beginning, each asking again when it was told to. */
function grants(wishes: Wish[], from = 0): { at: number; wish: Wish }[] {
  let buckets = FULL;
  const granted: { at: number; wish: Wish }[] = [];
  let waiting = wishes.map((wish) => ({ wish, at: from }));
  while (waiting.length > 0) {
    const now = Math.min(...waiting.map(({ at }) => at));
    const due = waiting.filter(({ at }) => at <= now);
    const paced = pace(
      buckets,
      due.map(({ wish }) => wish),
      now,
    );
    buckets = paced.buckets;
    const again = due.flatMap(({ wish }, place) => {
      const wait = paced.waits[place] ?? 0;
      if (wait === 0) granted.push({ at: now, wish });
      return wait === 0 ? [] : [{ wish, at: now + wait }];
    });
    waiting = [...waiting.filter(({ at }) => at > now), ...again];
  }
  return granted;
}

/** The most of these times that lie within any `span`. */
function mostWithin(times: number[], span: number): number {
  return Math.max(
    ...times.map((from) => times.filter((at) => at >= from && at < from + span).length),
  );
}

describe("writes of an installation", () => {
  it("of a job or two are not held up", () => {
    const job = [create, create, write, write, write, write, create, create, write, write, write];
    const { waits } = pace(FULL, [...job, ...job], 1000);
    expect(waits.filter((wait) => wait > 0)).toEqual([]);
  });

  it("never come more often than GitHub documents, however many are wanted at once", () => {
    const granted = grants([
      ...Array.from({ length: 600 }, () => create),
      ...Array.from({ length: 600 }, () => write),
    ]);
    expect(granted).toHaveLength(1200);
    const all = granted.map(({ at }) => at);
    const content = granted.filter(({ wish }) => wish.creates).map(({ at }) => at);
    expect(mostWithin(all, MINUTE) * 5).toBeLessThanOrEqual(900 / 2);
    expect(mostWithin(content, MINUTE)).toBeLessThanOrEqual(80);
    expect(mostWithin(content, HOUR)).toBeLessThanOrEqual(500);
    // Nor less often than it has to be: what fills in two hours is used.
    const before = content.filter((at) => at <= 75 * MINUTE);
    expect(before.length).toBeGreaterThan(550);
  });

  it("that only change something do not wait for those that make something", () => {
    const { buckets } = pace(
      FULL,
      Array.from({ length: 29 }, () => create),
      0,
    );
    const { waits } = pace(buckets, [create, create, create, write], 0);
    expect(waits[0]).toBe(0);
    expect(waits[1]).toBeGreaterThan(0);
    expect(waits[2]).toBeGreaterThan(waits[1] ?? 0);
    const later = pace(buckets, [create, create, create, write], 3000);
    expect(later.waits.at(-1)).toBe(0);
  });

  it("that matter less leave something for the others", () => {
    const edit: Wish = { creates: false, leaves: 10 };
    const { buckets, waits } = pace(
      FULL,
      Array.from({ length: 40 }, () => edit),
      0,
    );
    expect(waits.filter((wait) => wait === 0)).toHaveLength(20);
    expect(waits.at(-1)).toBe(20_000);
    expect(
      pace(
        buckets,
        Array.from({ length: 10 }, () => write),
        0,
      ).waits,
    ).toEqual(Array(10).fill(0));
  });

  it("go on slowly after a limit, and no bucket is made fuller by it", () => {
    const buckets = slowed(FULL, 5000);
    const { waits } = pace(
      buckets,
      Array.from({ length: 12 }, () => write),
      5000,
    );
    expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
    expect(waits.slice(-2)).toEqual([1000, 2000]);
    const used = { writes: 900_000, minute: 900_000, hour: 900_000 };
    expect(slowed(used, 5000)).toEqual(used);
  });
});

it.each([
  ["https://api.github.com", true],
  ["https://api.acme.ghe.com", true],
  ["https://ghe.acme.example/api/v3", false],
  ["http://127.0.0.1:3000/api/v3", false],
  ["https://api.github.com.acme.example", false],
])("the limits of %s are known: %s", (apiUrl, known) => {
  expect(hasLimits(apiUrl)).toBe(known);
});
