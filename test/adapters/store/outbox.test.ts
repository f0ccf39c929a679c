import { expect, test } from "vitest";
import type { Store } from "../../../src/adapters/store/store.ts";
import { storeOn } from "../../support/open-test-store.ts";
import { aComment } from "../../support/store-rows.ts";

const bodies = async (store: Store, now: number) =>
  (await store.due(now)).map((row) => row.act.kind === "comment" && row.act.body);

test("a new act is pending and not due before its time", async () => {
  const store = await storeOn();
  const board = aComment("board", "queued", "issue 12");

  const row = await store.put(board, 100.2);

  expect(row).toMatchObject({ ...board, version: 1, attempts: 0, state: "pending", result: null });
  expect(await store.get("board")).toEqual(row);
  expect(await store.get("none")).toBeNull();
  expect(await store.due(100)).toEqual([]);
  expect(await store.nextDue()).toBe(101);
  expect(await store.due(101)).toEqual([row]);
});

test("the same act again changes nothing, whatever became of it", async () => {
  const store = await storeOn();
  const first = await store.put(aComment("board", "queued"), 100);
  expect(await store.put(aComment("board", "queued"), 900)).toEqual(first);
  expect(await store.nextDue()).toBe(100);

  await store.done(first.id, 1, { id: 42 }, 0);
  const done = await store.put(aComment("board", "queued"), 0);
  expect(done).toMatchObject({ state: "done", version: 1, result: { id: 42 } });

  const other = await store.put(aComment("answer", "no"), 0);
  await store.dead(other.id, other.version, "the issue is locked");
  const dead = await store.put(aComment("answer", "no"), 0);
  expect(dead).toMatchObject({ state: "dead", result: "the issue is locked" });
  expect(await store.nextDue()).toBeNull();
});

test("the order of an act's fields and fields left undefined make no other act", async () => {
  const store = await storeOn();
  const { key, lane, act } = aComment("board", "queued");
  const first = await store.put({ key, lane, act }, 0);
  const turned = Object.fromEntries(Object.entries(act).toReversed()) as typeof act;
  const same = await store.put({ key, lane, act: { ...turned, ...{ more: undefined } } }, 0);
  expect(same).toEqual(first);
});

test("another body replaces the one that waits, and goes when it may itself", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "one"), 500);
  expect((await store.put(aComment("board", "two"), 100)).version).toBe(2);
  expect(await store.nextDue()).toBe(100);
  await store.put(aComment("board", "three"), 700);
  expect(await store.nextDue()).toBe(700);
  expect(await bodies(store, 700)).toEqual(["three"]);
});

test("another body of an act that failed waits as long as the failed one", async () => {
  const store = await storeOn();
  const row = await store.put(aComment("board", "one"), 0);
  await store.retry(row.id, 5_000, "rate limit");
  expect(await store.put(aComment("board", "two"), 100)).toMatchObject({ version: 2, attempts: 1 });
  expect(await store.nextDue()).toBe(5_000);
});

test("another body after success is pending again and keeps the value of that success", async () => {
  const store = await storeOn();
  const first = await store.put(aComment("board", "one"), 5_000);
  await store.retry(first.id, 6_000, "502");
  await store.done(first.id, 1, { id: 42 }, 9_000);

  const second = await store.put(aComment("board", "two"), 100);

  expect(second).toMatchObject({
    id: first.id,
    version: 2,
    attempts: 0,
    state: "pending",
    result: { id: 42 },
  });
  expect(await store.nextDue()).toBe(100);
});

test("an act that was given up lives again with another body, and remembers its comment", async () => {
  const store = await storeOn();
  const first = await store.put(aComment("board", "one"), 0);
  await store.done(first.id, 1, { id: 42 }, 0);
  const second = await store.put(aComment("board", "two"), 0);
  await store.dead(first.id, second.version, "the issue is locked");
  expect(await store.get("board")).toMatchObject({ state: "dead", result: "the issue is locked" });

  const third = await store.put(aComment("board", "three"), 0);
  expect(third).toMatchObject({ version: 3, state: "pending", result: { id: 42 } });
});

test("success of an old body stores its value and leaves the newer one waiting", async () => {
  const store = await storeOn();
  const first = await store.put(aComment("board", "one"), 0);
  await store.put(aComment("board", "two"), 100);

  await store.done(first.id, 1, { id: 42 }, 3_000);

  expect(await store.get("board")).toMatchObject({
    state: "pending",
    version: 2,
    result: { id: 42 },
  });
  expect(await store.nextDue()).toBe(3_000);
  await store.done(first.id, 2, { id: 42 }, 6_000);
  expect(await store.get("board")).toMatchObject({ state: "done", version: 2 });
  expect(await store.nextDue()).toBeNull();
});

test("success of an old body does not bring a newer one forward", async () => {
  const store = await storeOn();
  const first = await store.put(aComment("board", "one"), 0);
  await store.put(aComment("board", "two"), 5_000);
  await store.done(first.id, 1, { id: 42 }, 3_000);
  expect(await store.nextDue()).toBe(5_000);
});

test("a success without a value is a success", async () => {
  const store = await storeOn();
  const row = await store.put(aComment("reaction", "eyes"), 0);
  await store.done(row.id, 1, null, 0);
  expect(await store.get("reaction")).toMatchObject({ state: "done", result: null });
});

test("a lane gives one act at a time, in the order they came, and waits for its first", async () => {
  const store = await storeOn();
  const a1 = await store.put(aComment("a1", "a1", "a"), 0);
  const b1 = await store.put(aComment("b1", "b1", "b"), 0);
  await store.put(aComment("a2", "a2", "a"), 0);
  const c1 = await store.put(aComment("c1", "c1", "c"), 50);
  expect(await bodies(store, 10)).toEqual(["a1", "b1"]);

  await store.retry(a1.id, 1_000, "502 Bad Gateway");
  expect(await bodies(store, 10)).toEqual(["b1"]);
  await store.done(b1.id, 1, null, 0);
  // a2 could go, but a1 is before it: nothing is due until c1.
  expect(await store.nextDue()).toBe(50);
  expect(await bodies(store, 1_000)).toEqual(["a1", "c1"]);
  expect((await store.get("a1"))?.attempts).toBe(1);

  await store.dead(a1.id, a1.version, "gone");
  await store.done(c1.id, 1, null, 0);
  expect(await bodies(store, 1_000)).toEqual(["a2"]);
});

test("a replaced act keeps its place in the lane", async () => {
  const store = await storeOn();
  await store.put(aComment("a1", "first", "a"), 0);
  await store.put(aComment("a2", "second", "a"), 0);
  await store.put(aComment("a1", "first, again", "a"), 0);
  expect(await bodies(store, 0)).toEqual(["first, again"]);
});

test("a late failure does not wake what is done", async () => {
  const store = await storeOn();
  const row = await store.put(aComment("board", "one"), 0);
  await store.done(row.id, 1, { id: 42 }, 0);
  await store.retry(row.id, 10, "late");
  await store.dead(row.id, row.version, "late");
  expect(await store.get("board")).toMatchObject({
    state: "done",
    attempts: 0,
    result: { id: 42 },
  });
});

test("acts put under one key at once become one row", async () => {
  const store = await storeOn();
  const rows = await Promise.all(
    Array.from({ length: 20 }, (_, index) => store.put(aComment("board", `body ${index}`), 0)),
  );
  expect(new Set(rows.map((row) => row.id)).size).toBe(1);
  expect(await store.due(0)).toHaveLength(1);
  expect((await store.get("board"))?.version).toBe(20);
});

test("leaves a newer body pending when the older one failed for good", async () => {
  const store = await storeOn();
  const old = await store.put(aComment("board", "old"), 0);
  await store.put(aComment("board", "new"), 0);
  await store.dead(old.id, old.version, "the issue is locked");
  expect(await store.get("board")).toMatchObject({ state: "pending", version: old.version + 1 });
});
