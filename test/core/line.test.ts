import { expect, test } from "vitest";
import { isWorthTelling, placesInLine } from "../../src/core/line.ts";
import type { QueuedJob } from "../../src/core/ports.ts";

function job(id: string, repoId: number, more: Partial<QueuedJob> = {}): QueuedJob {
  return {
    id,
    commandId: `command of ${id}`,
    repoId,
    installationId: repoId,
    priority: 10,
    createdAt: 1,
    number: 1,
    ahead: null,
    ...more,
  };
}

const never = (...repoIds: number[]) =>
  repoIds.map((repoId) => ({ repoId, installationId: repoId, servedAt: 0 }));

/** The ids in the order of their places. */
function order(...asked: Parameters<typeof placesInLine>): string[] {
  return [...placesInLine(...asked)].sort((a, b) => a[1] - b[1]).map(([id]) => id);
}

test("one job of somebody else goes before the rest of a thousand", () => {
  const many = Array.from({ length: 1000 }, (_, at) => job(`a${at}`, 1, { createdAt: at }));
  const places = placesInLine([...many, job("b", 2, { createdAt: 5000 })], never(1, 2));
  expect(places.get("a0")).toBe(0);
  expect(places.get("b")).toBe(1);
  expect(places.get("a1")).toBe(2);
});

test("who was served longest ago is next, installation before repository", () => {
  const served = [
    { repoId: 1, installationId: 1, servedAt: 50 },
    { repoId: 2, installationId: 1, servedAt: 0 },
    { repoId: 3, installationId: 3, servedAt: 40 },
  ];
  const jobs = [
    job("new-of-busy", 2, { installationId: 1, createdAt: 1 }),
    job("old-of-busy", 1, { createdAt: 2 }),
    job("quiet", 3, { createdAt: 9 }),
  ];
  expect(order(jobs, served)).toEqual(["quiet", "new-of-busy", "old-of-busy"]);
});

test("a person goes before a schedule, and tasks in their order", () => {
  const jobs = [
    job("night", 2, { priority: 0, createdAt: 0 }),
    job("second", 1, { number: 2 }),
    job("first", 1, { number: 1 }),
  ];
  expect(order(jobs, never(1, 2))).toEqual(["first", "second", "night"]);
});

test("near the front every step is told, far back only what is worth a look", () => {
  expect(isWorthTelling(null, 40)).toBe(true);
  expect(isWorthTelling(40, 39)).toBe(false);
  expect(isWorthTelling(40, 30)).toBe(true);
  expect(isWorthTelling(3, 2)).toBe(true);
  expect(isWorthTelling(0, 0)).toBe(false);
  expect(isWorthTelling(2, 5)).toBe(true);
});
