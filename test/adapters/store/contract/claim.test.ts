import { expect, test } from "vitest";
import type { Store } from "../../../../src/adapters/store/store.ts";
import type { Command } from "../../../../src/core/job.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { aCommand, aComment, acceptJobs, aJob, claimNext } from "../../../support/store-rows.ts";

const MINUTE = 60_000;
const ada = { id: 5, login: "ada" };

/** A command on repository `repo` of installation `installation`, with `count` jobs. */
async function ask(
  store: Store,
  id: string,
  { repo = 1, installation = 7, count = 1, priority = 10, at = 1_000 } = {},
): Promise<Command> {
  const command = aCommand(id, {
    repo: { installationId: installation, id: repo, owner: "octo", name: `r${repo}` },
  });
  const jobs = Array.from({ length: count }, (_, index) =>
    aJob(`${id}-${index + 1}`, command, { number: index + 1, priority, createdAt: at }),
  );
  await acceptJobs(store, command, jobs);
  return command;
}

/** The ids of the next `count` claims. */
async function claims(store: Store, count: number, perRepository = 99): Promise<(string | null)[]> {
  const ids: (string | null)[] = [];
  for (let index = 0; index < count; index += 1) {
    ids.push((await claimNext(store, { perRepository }))?.id ?? null);
  }
  return ids;
}

test("a claim raises the fence and keeps others away until the lease ends", async () => {
  const store = await storeOn();
  await ask(store, "a");
  expect(await claimNext(store)).toMatchObject({ id: "a-1", fence: 1, attempts: 1 });
  expect(await claimNext(store, { owner: "there/1" })).toBeNull();
  expect(await claimNext(store)).toBeNull();
});

test("a lease that ran out is free for others", async () => {
  const store = await storeOn();
  await ask(store, "a");
  await claimNext(store, { leaseMs: 0 });
  expect(await claimNext(store, { owner: "there/1" })).toMatchObject({ fence: 2, attempts: 1 });
  expect(await store.renew("a-1", 1, MINUTE)).toBe(false);
  expect(await store.renew("a-1", 2, 0)).toBe(true);
  expect(await claimNext(store)).toMatchObject({ fence: 3 });
});

test("of many that claim at once each gets another job, and nobody gets one twice", async () => {
  const place = await newPlace();
  const [one, two] = [await storeOn(place), await storeOn(place)];
  await ask(one, "a", { count: 5 });
  const claimed = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      claimNext(index % 2 ? one : two, { owner: `p${index}/1` }),
    ),
  );
  const ids = claimed.flatMap((job) => job?.id ?? []);
  expect(ids.toSorted()).toEqual(["a-1", "a-2", "a-3", "a-4", "a-5"]);
});

test("never more jobs of one repository run at a time than allowed, whoever claims", async () => {
  const place = await newPlace();
  const stores = await Promise.all([storeOn(place), storeOn(place), storeOn(place)]);
  const [store] = stores;
  await ask(store, "a", { count: 9 });
  await ask(store, "b", { count: 1, repo: 2 });
  const claimed = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      claimNext(stores[index % 3] as Store, { owner: `p${index}/1`, perRepository: 2 }),
    ),
  );
  const ids = claimed.flatMap((job) => job?.id ?? []).toSorted();
  expect(ids).toEqual(["a-1", "a-2", "b-1"]);

  await store.write("a-1", 1, { state: "failed" });
  expect(await claims(store, 2, 2)).toEqual(["a-3", null]);
});

test("a person goes before a schedule, whoever asked first", async () => {
  const store = await storeOn();
  await ask(store, "nightly", { priority: 0, at: 1 });
  await ask(store, "person", { repo: 2, at: 2 });
  expect(await claims(store, 2)).toEqual(["person-1", "nightly-1"]);
});

test("a busy repository does not keep another waiting", async () => {
  const store = await storeOn();
  await ask(store, "busy", { count: 5, at: 1 });
  expect(await claims(store, 2)).toEqual(["busy-1", "busy-2"]);
  await ask(store, "late", { repo: 2, count: 2, at: 9 });
  expect(await claims(store, 5)).toEqual(["late-1", "busy-3", "late-2", "busy-4", "busy-5"]);
});

test("an installation with many repositories does not keep another waiting", async () => {
  const store = await storeOn();
  for (const repo of [1, 2, 3]) await ask(store, `many${repo}`, { repo, at: repo });
  await ask(store, "other", { repo: 9, installation: 8, count: 2, at: 9 });
  expect(await claims(store, 5)).toEqual(["many1-1", "other-1", "many2-1", "other-2", "many3-1"]);
});

test("a job that was given back waits for its time, and the attempt counts or not", async () => {
  const store = await storeOn();
  await ask(store, "a");
  await claimNext(store);
  await store.release("a-1", 1, { inMs: 0, burn: false });
  expect(await claimNext(store)).toMatchObject({ fence: 2, attempts: 1 });
  await store.release("a-1", 2, { inMs: 0, burn: true });
  expect(await claimNext(store)).toMatchObject({ fence: 3, attempts: 2 });
  await store.release("a-1", 3, { inMs: MINUTE, burn: true });
  expect(await claimNext(store)).toBeNull();
  expect(await store.waiting()).toEqual([]);
});

test("work that got on sets the attempts back", async () => {
  const store = await storeOn();
  await ask(store, "a");
  for (const fence of [1, 2, 3]) {
    await claimNext(store);
    await store.release("a-1", fence, { inMs: 0, burn: true });
  }
  expect(await claimNext(store)).toMatchObject({ attempts: 4 });
  const message = { role: "assistant" as const, content: "hm", toolCalls: [] };
  const usage = { inputTokens: 1, cachedTokens: 0, outputTokens: 1 };
  await store.write("a-1", 4, {}, [{ type: "reply", step: 1, message, usage, latencyMs: 1 }]);
  expect((await store.job("a-1"))?.attempts).toBe(1);
});

test("the jobs of a process that died are free as soon as its place is taken again", async () => {
  const store = await storeOn();
  await ask(store, "a", { count: 2 });
  await claimNext(store, { owner: "here/dead" });
  await claimNext(store, { owner: "there/alive" });
  expect(await store.releaseAll("here")).toBe(1);
  expect(await claims(store, 2)).toEqual(["a-1", null]);
});

test("what waits for a time of a clock that was hours ahead waits no longer once a worker starts", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  const take = (paced = true) =>
    store.take({ owner: "here/1", leaseMs: MINUTE, asked: [], except: [], paced });
  await ask(store, "a");
  await store.put(aComment("board", "one"), 0);
  const [board] = await take();
  expect(await store.done(board?.id ?? 0, "here/1", 1, { id: 1 })).toBe(true);
  await store.pause(7, MINUTE, "secondary rate limit");
  const ahead = 5 * 60 * MINUTE;
  for (const [table, columns] of [
    ["jobs", ["run_at"]],
    ["outbox", ["told_at"]],
    ["pauses", ["until"]],
    ["paces", ["writes", "minute", "hour"]],
  ] as const) {
    const set = columns.map((column) => `${column} = ${Date.now() + ahead}`);
    await sqlOn(place, `update ${table} set ${set}`);
  }
  await store.put(aComment("board", "two"), 0);
  expect(await take()).toEqual([]);

  await store.releaseAll("here");
  expect(await claims(store, 1)).toEqual(["a-1"]);
  expect(await store.pausedFor(7)).toBeNull();
  await store.put(aComment("board", "three"), 3_000);
  expect(await store.dueIn([], [])).toBeLessThan(MINUTE);
  await sqlOn(place, "update outbox set next_at = 0");
  expect(await take()).toMatchObject([{ key: "board", putOffMs: 0 }]);
});

test("deaths of a process are counted for its jobs, and whether it had no other", async () => {
  const store = await storeOn();
  await ask(store, "a", { count: 2 });
  const crashes = async (id: string) => (await store.job(id))?.crashes;
  await claimNext(store, { owner: "here/1" });
  await store.releaseAll("here");
  expect(await claimNext(store, { owner: "here/2" })).toMatchObject({
    id: "a-1",
    attempts: 1,
    crashes: { all: 1, alone: 1 },
  });
  // Both die together; one is taken over by another place, the other found at the next start.
  await claimNext(store, { owner: "here/2", leaseMs: 0 });
  expect(await claimNext(store, { owner: "there/1" })).toMatchObject({
    id: "a-2",
    crashes: { all: 1, alone: 0 },
  });
  await store.releaseAll("here");
  expect(await crashes("a-1")).toEqual({ all: 2, alone: 1 });
  // Whoever gives it back lives.
  await store.release("a-2", 2, { inMs: MINUTE, burn: true });
  expect(await crashes("a-2")).toBeUndefined();
  // A reply that is followed by the same death shows nothing; a step that was finished does.
  expect(await claimNext(store, { owner: "here/3" })).toMatchObject({ id: "a-1", fence: 3 });
  const message = { role: "tool" as const, callId: "c", content: "?" };
  const call = { type: "tool_finished" as const, step: 1, callId: "c", message };
  await store.write("a-1", 3, {}, [{ ...call, interrupted: true }]);
  expect(await crashes("a-1")).toEqual({ all: 2, alone: 1 });
  await store.write("a-1", 3, {}, [call]);
  expect(await crashes("a-1")).toBeUndefined();
});

test("a job with which processes died keeps others waiting until a process is free for it alone", async () => {
  const store = await storeOn();
  await ask(store, "a", { count: 3 });
  for (const life of [1, 2, 3]) {
    for (const _ of ["a-1", "a-2"]) await claimNext(store, { owner: `here/${life}` });
    await store.releaseAll("here");
  }
  expect((await store.job("a-2"))?.crashes).toEqual({ all: 3, alone: 0 });
  expect(await claimNext(store, { alone: false })).toBeNull();
  expect(await claimNext(store, { owner: "here/4", alone: true })).toMatchObject({ id: "a-1" });
  // It may have been this one: the other has its turn before it is tried again.
  await store.releaseAll("here");
  expect((await store.job("a-1"))?.crashes).toEqual({ all: 4, alone: 1 });
  expect(await claimNext(store, { alone: true })).toMatchObject({ id: "a-2" });
});

test("one process empties itself for a job with which others died, and the rest go on with what else there is", async () => {
  const store = await storeOn();
  await ask(store, "a", { count: 3 });
  for (const life of [1, 2, 3]) {
    for (const _ of ["a-1", "a-2"]) await claimNext(store, { owner: `here/${life}` });
    await store.releaseAll("here");
  }
  const busy = (owner: string) => claimNext(store, { owner, worker: owner, alone: false });
  expect(await busy("one/1")).toBeNull();
  expect(await busy("two/1")).toMatchObject({ id: "a-3" });
  expect([await busy("two/1"), await busy("one/1")]).toEqual([null, null]);
  expect(await claimNext(store, { owner: "one/1", worker: "one" })).toMatchObject({ id: "a-1" });
});

test("for a second a job is left to a worker that has its mirror and room", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  const there = { id: "there", slots: 2, busy: 0, mirrors: [1] };
  await store.seen(there);
  await ask(store, "a");
  await ask(store, "b", { repo: 2 });
  expect(await claims(store, 2)).toEqual(["b-1", null]);
  expect(await claimNext(store, { owner: "there/1", worker: "there" })).toMatchObject({
    id: "a-1",
  });

  await ask(store, "c");
  await store.seen({ ...there, busy: 2 });
  expect(await claims(store, 1)).toEqual(["c-1"]);

  await store.seen(there);
  await ask(store, "d");
  expect(await claims(store, 1)).toEqual([null]);
  await sqlOn(place, "update jobs set run_at = run_at - 1001");
  expect(await claims(store, 1)).toEqual(["d-1"]);

  await ask(store, "e");
  await sqlOn(place, "update workers set seen_at = seen_at - 15001");
  expect(await claims(store, 1)).toEqual(["e-1"]);
});

test("a job that did not begin ends when somebody stops it; one that did is marked", async () => {
  const store = await storeOn();
  await ask(store, "a", { count: 3 });
  await claimNext(store);
  await store.write("a-1", 1, { state: "running", startedAt: 5 });
  await store.write("a-3", 0, { state: "failed" });

  expect(await store.stop(["a-1", "a-2", "a-3", "none"], ada)).toEqual({
    cancelled: ["a-2"],
    stopping: ["a-1"],
  });

  expect(await store.job("a-2")).toMatchObject({ state: "cancelled", reason: "stopped by ada" });
  expect((await store.job("a-2"))?.endedAt).not.toBeNull();
  expect(await store.events("a-2")).toEqual([
    { type: "state", from: "queued", to: "cancelled", reason: "stopped by ada" },
  ]);
  expect(await store.toStop("here/1")).toEqual([{ id: "a-1", by: ada }]);
  expect(await store.toStop("there/1")).toEqual([]);
  expect(await store.job("a-3")).toMatchObject({ state: "failed" });
  expect(await claimNext(store)).toBeNull();
});

test("a job that waits to be tried again is claimed at once when somebody stops it", async () => {
  const store = await storeOn();
  await ask(store, "a");
  await claimNext(store);
  await store.write("a-1", 1, { state: "running", startedAt: 5 });
  await store.release("a-1", 1, { inMs: MINUTE, burn: true });
  expect(await claimNext(store)).toBeNull();
  await store.stop(["a-1"], ada);
  expect(await claimNext(store)).toMatchObject({ id: "a-1", stop: ada });
});

test("one process at a time holds a lease by name", async () => {
  const store = await storeOn();
  expect(await store.hold("janitor", "one", MINUTE)).toBe(true);
  expect(await store.hold("janitor", "two", MINUTE)).toBe(false);
  expect(await store.hold("deliveries", "two", MINUTE)).toBe(true);
  expect(await store.hold("janitor", "one", 0)).toBe(true);
  expect(await store.hold("janitor", "two", MINUTE)).toBe(true);
  await store.letGo("janitor", "one");
  expect(await store.hold("janitor", "one", MINUTE)).toBe(false);
  await store.letGo("janitor", "two");
  expect(await store.hold("janitor", "one", MINUTE)).toBe(true);
});

test("a pause of an installation lasts as long as its longest, for all", async () => {
  const place = await newPlace();
  const [one, two] = [await storeOn(place), await storeOn(place)];
  await one.pause(7, 2 * MINUTE, "secondary rate limit");
  await two.pause(7, MINUTE, "shorter");
  const pause = await two.pausedFor(7);
  expect(pause?.why).toBe("secondary rate limit");
  expect(pause?.ms).toBeGreaterThan(MINUTE);
  expect(pause?.ms).toBeLessThanOrEqual(2 * MINUTE);
  expect(await two.pausedFor(8)).toBeNull();
  await two.pause(8, 0, "over");
  expect(await one.pausedFor(8)).toBeNull();
});

test("a cursor is what was last written", async () => {
  const store = await storeOn();
  expect(await store.cursor("deliveries")).toBeNull();
  await store.setCursor("deliveries", "17");
  await store.setCursor("deliveries", "18");
  expect(await store.cursor("deliveries")).toBe("18");
});
