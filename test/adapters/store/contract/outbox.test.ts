import { expect, test } from "vitest";
import type { Store } from "../../../../src/adapters/store/store.ts";
import { type Act, jobLane, type OutboxRow } from "../../../../src/core/act.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import {
  aCommand,
  aComment,
  acceptJobs,
  aJob,
  claimNext,
  due,
} from "../../../support/store-rows.ts";

const HOUR = 3_600_000;
const me = "here/1";

const push: Act = {
  kind: "push",
  repo: { installationId: 1, id: 2, owner: "a", name: "b" },
  commit: "c".repeat(40),
  ref: "refs/draftsmith/x",
};

const body = ({ act }: OutboxRow) => (act.kind === "comment" ? act.body : act.kind);
const bodies = async (store: Store) => (await due(store)).map(body);

/** Takes what is due, for a minute. */
const take = (store: Store, owner = me, asked: string[] = []) =>
  store.take({ owner, leaseMs: 60_000, asked, except: [] });

/** Takes the one row that is due and says that GitHub took it. */
async function perform(store: Store, result: unknown = { id: 42 }): Promise<boolean> {
  const [row] = await take(store);
  if (!row) throw new Error("nothing is due");
  return store.done(row.id, me, row.version, result);
}

test("a new act is pending and due at once", async () => {
  const store = await storeOn();
  const board = aComment("board", "queued", "issue 12");
  const row = await store.put(board, HOUR);
  expect(row).toMatchObject({ ...board, version: 1, attempts: 0, state: "pending", result: null });
  expect(await store.get("board")).toEqual(row);
  expect(await store.get("none")).toBeNull();
  expect(await due(store)).toEqual([row]);
  expect(await store.dueIn([], [])).toBe(0);
});

test("the same act again changes nothing, whatever became of it", async () => {
  const store = await storeOn();
  const first = await store.put(aComment("board", "queued"), 0);
  expect(await store.put(aComment("board", "queued"), HOUR)).toEqual(first);
  await perform(store);
  expect(await store.put(aComment("board", "queued"), 0)).toMatchObject({
    state: "done",
    version: 1,
    result: { id: 42 },
  });

  await store.put(aComment("answer", "no"), 0);
  const [other] = await take(store);
  await store.dead(other?.id ?? 0, me, 1, "the issue is locked");
  const dead = await store.put(aComment("answer", "no"), 0);
  expect(dead).toMatchObject({ state: "dead", result: "the issue is locked" });
  expect(await store.dueIn([], [])).toBeNull();
});

test("the order of an act's fields and fields left undefined make no other act", async () => {
  const store = await storeOn();
  const { key, lane, act } = aComment("board", "queued");
  const first = await store.put({ key, lane, act }, 0);
  const turned = Object.fromEntries(Object.entries(act).toReversed()) as typeof act;
  const same = await store.put({ key, lane, act: { ...turned, ...{ more: undefined } } }, 0);
  expect(same).toEqual(first);
});

test("another body replaces the one that waits", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "one"), 0);
  expect((await store.put(aComment("board", "two"), HOUR)).version).toBe(2);
  expect(await bodies(store)).toEqual(["two"]);
});

test("another body of an act that failed waits as long as the failed one", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "one"), 0);
  const [row] = await take(store);
  await store.retry(row?.id ?? 0, me, HOUR, "rate limit");
  expect(await store.put(aComment("board", "two"), 0)).toMatchObject({ version: 2, attempts: 1 });
  expect(await bodies(store)).toEqual([]);
  expect(await store.dueIn([], [])).toBeGreaterThan(HOUR - 60_000);
});

test("another body after success waits for its turn and keeps the value of that success", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "one"), 0);
  await perform(store);

  const second = await store.put(aComment("board", "two"), HOUR);
  expect(second).toMatchObject({ version: 2, attempts: 0, state: "pending", result: { id: 42 } });
  expect(await bodies(store)).toEqual([]);

  await store.put(aComment("board", "the last"), 0);
  expect(await bodies(store)).toEqual(["the last"]);
});

test("an act that was given up lives again with another body, and remembers its comment", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "one"), 0);
  await perform(store);
  await store.put(aComment("board", "two"), 0);
  const [row] = await take(store);
  await store.dead(row?.id ?? 0, me, 2, "the issue is locked");
  expect(await store.get("board")).toMatchObject({ state: "dead", result: "the issue is locked" });

  const third = await store.put(aComment("board", "three"), 0);
  expect(third).toMatchObject({ version: 3, state: "pending", result: { id: 42 } });
});

test("success of an old body stores its value and leaves the newer one waiting for its turn", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "one"), 0);
  const [row] = await take(store);
  await store.put(aComment("board", "two"), HOUR);
  expect(await store.done(row?.id ?? 0, me, 1, { id: 42 })).toBe(false);
  expect(await store.get("board")).toMatchObject({
    state: "pending",
    version: 2,
    result: { id: 42 },
  });
  expect(await bodies(store)).toEqual([]);

  await store.put(aComment("board", "the last"), 0);
  expect(await perform(store)).toBe(true);
  expect(await store.get("board")).toMatchObject({ state: "done", version: 3 });
  expect(await store.dueIn([], [])).toBeNull();
});

test("a success without a value is a success", async () => {
  const store = await storeOn();
  await store.put(aComment("reaction", "eyes"), 0);
  await perform(store, null);
  expect(await store.get("reaction")).toMatchObject({ state: "done", result: null });
});

test("a lane gives one act at a time, in the order they came, and waits for its first", async () => {
  const store = await storeOn();
  await store.put(aComment("a1", "a1", "a"), 0);
  await store.put(aComment("b1", "b1", "b"), 0);
  await store.put(aComment("a2", "a2", "a"), 0);
  const [a1, b1, ...more] = await take(store);
  expect([a1, b1, ...more].map((row) => row?.key)).toEqual(["a1", "b1"]);
  expect(await take(store)).toEqual([]);

  await store.retry(a1?.id ?? 0, me, HOUR, "502 Bad Gateway");
  await store.done(b1?.id ?? 0, me, 1, null);
  // a2 could go, but a1 is before it.
  expect(await take(store)).toEqual([]);
  expect((await store.get("a1"))?.attempts).toBe(1);
  expect(await store.dueIn([], [])).toBeGreaterThan(HOUR - 60_000);
});

test("a lane goes on after an act that was given up", async () => {
  const store = await storeOn();
  await store.put(aComment("a1", "a1", "a"), 0);
  await store.put(aComment("a2", "a2", "a"), 0);
  const [a1] = await take(store);
  await store.dead(a1?.id ?? 0, me, 1, "gone");
  expect(await bodies(store)).toEqual(["a2"]);
});

test("a replaced act keeps its place in the lane", async () => {
  const store = await storeOn();
  await store.put(aComment("a1", "first", "a"), 0);
  await store.put(aComment("a2", "second", "a"), 0);
  await store.put(aComment("a1", "first, again", "a"), 0);
  expect(await bodies(store)).toEqual(["first, again"]);
});

test("of many processes that look at once, one gets an act", async () => {
  const place = await newPlace();
  const stores = await Promise.all([storeOn(place), storeOn(place), storeOn(place)]);
  for (const [index, store] of stores.entries()) {
    await store.put(aComment(`board ${index}`, "x"), 0);
  }
  const taken = await Promise.all(
    [0, 1, 2, 0, 1, 2].map((which, index) => take(stores[which] as Store, `p${index}/1`)),
  );
  expect(
    taken
      .flat()
      .map((row) => row.key)
      .toSorted(),
  ).toEqual(["board 0", "board 1", "board 2"]);
});

test("who lost an act to another process changes nothing", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "one"), 0);
  const [row] = await store.take({ owner: "frozen/1", leaseMs: 0, asked: [], except: [] });
  const id = row?.id ?? 0;
  expect(await take(store)).toHaveLength(1);

  expect(await store.done(id, "frozen/1", 1, { id: 1 })).toBe(false);
  await store.retry(id, "frozen/1", HOUR, "late");
  await store.dead(id, "frozen/1", 1, "late");

  expect(await store.get("board")).toMatchObject({ state: "pending", attempts: 0, result: null });
  expect(await store.done(id, me, 1, { id: 42 })).toBe(true);
});

test("what a process took is free again after its death", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "one"), 0);
  await take(store, "here/dead");
  expect(await bodies(store)).toEqual([]);
  await store.releaseAll("here");
  expect(await bodies(store)).toEqual(["one"]);
});

test("what publishes a change is taken only by who asks for it", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob("j1", command)]);
  await claimNext(store);
  const keyed = { key: "push:1", lane: jobLane("j1"), act: push };
  await store.putHeld(keyed, { jobId: "j1", fence: 1 });
  expect(await take(store)).toEqual([]);
  expect(await store.dueIn([], [])).toBeNull();
  expect((await take(store, me, ["push:1"])).map(body)).toEqual(["push"]);
});

test("an act of a job is stored only while its claim holds", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob("j1", command)]);
  const keyed = { key: "push:1", lane: jobLane("j1"), act: push };
  expect(await store.putHeld(keyed, { jobId: "j1", fence: 0 })).toBeNull();
  await claimNext(store, { leaseMs: 0 });
  await claimNext(store, { owner: "there/1" });
  expect(await store.putHeld(keyed, { jobId: "j1", fence: 1 })).toBeNull();
  expect(await store.get("push:1")).toBeNull();
  expect(await store.putHeld(keyed, { jobId: "j1", fence: 2 })).toMatchObject({ version: 1 });
});

test("what would publish the change of a job that ended is given up, and its lane goes on", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob("j1", command)]);
  await claimNext(store);
  const lane = jobLane("j1");
  await store.putHeld({ key: "push:1", lane, act: push }, { jobId: "j1", fence: 1 });
  await store.put(aComment("drop", "drop the ref", lane), 0);
  await store.write("j1", 1, { state: "failed" });
  expect(await store.get("push:1")).toMatchObject({ state: "dead" });
  expect(await bodies(store)).toEqual(["drop the ref"]);
});

test("acts put under one key at once become one row", async () => {
  const store = await storeOn();
  const rows = await Promise.all(
    Array.from({ length: 20 }, (_, index) => store.put(aComment("board", `body ${index}`), 0)),
  );
  expect(new Set(rows.map((row) => row.id)).size).toBe(1);
  expect(await due(store)).toHaveLength(1);
  expect((await store.get("board"))?.version).toBe(20);
});

test("a newer body stays pending when the older one failed for good", async () => {
  const store = await storeOn();
  await store.put(aComment("board", "old"), 0);
  const [old] = await take(store);
  await store.put(aComment("board", "new"), 0);
  await store.dead(old?.id ?? 0, me, 1, "the issue is locked");
  expect(await store.get("board")).toMatchObject({ state: "pending", version: 2 });
  expect(await bodies(store)).toEqual(["new"]);
});

test("a damaged row is named", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  await store.put(aComment("board", "x"), 0);
  await sqlOn(place, "update outbox set act = '['");
  await expect(store.get("board")).rejects.toThrow("outbox row 1, act holds no JSON");
});
