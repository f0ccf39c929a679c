import { expect, test } from "vitest";
import type { Act } from "../../../../src/core/act.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import {
  aCommand,
  aComment,
  acceptJobs,
  admitAll,
  aHeard,
  aJob,
  claimNext,
} from "../../../support/store-rows.ts";

const DAY_MS = 24 * 60 * 60_000;
const repo = { installationId: 7, id: 4_000_000_001, owner: "octo", name: "shop" };
const push: Act = { kind: "push", repo, commit: "c".repeat(40), ref: "refs/draftsmith/j1" };

/** A store with a job that ended long ago, one that is held since then, and one that waits. */
async function aged() {
  const place = await newPlace();
  const store = await storeOn(place);
  const command = aCommand("c1");
  const jobs = ["j1", "j2", "j3"].map((id, at) => aJob(id, command, { number: at + 1 }));
  await acceptJobs(store, command, jobs);
  for (const id of ["j1", "j2"]) {
    const job = await claimNext(store);
    expect(job?.id).toBe(id);
    await store.write(id, 1, { state: "running" }, [{ type: "note", text: "began" }]);
  }
  const endedAt = Date.now() - 100 * DAY_MS;
  await store.write("j1", 1, { state: "failed", endedAt });
  await store.write("j2", 1, { state: "blocked", endedAt });
  await sqlOn(place, "update jobs set change = '{}' where id = 'j2'");
  return { place, store };
}

test("what works no more is told apart from what waits, what is held and what nobody knows", async () => {
  const { store } = await aged();
  const over = await store.over(["j1", "j2", "j3", "never"], 200 * DAY_MS);
  expect(over.toSorted((one, other) => one.id.localeCompare(other.id))).toEqual([
    { id: "j1", held: false },
    { id: "j2", held: true },
    { id: "never", held: false },
  ]);
  expect(await store.over(["j2"], 90 * DAY_MS)).toEqual([{ id: "j2", held: false }]);
});

test("old histories go, and nothing that is young, waits, or may be edited again", async () => {
  const { place, store } = await aged();
  await store.put(aComment("answer:1", "hello"), 0);
  await store.put(aComment("board:c1", "done"), 0);
  await store.put(aComment("answer:2", "young"), 0);
  await store.put({ key: "push:j3", lane: "job:j3", act: push }, 0);
  await store.answer(aHeard("d9"), [], admitAll);
  const old = Date.now() - 100 * DAY_MS;
  await sqlOn(
    place,
    `update outbox set state = 'done', updated_at = ${old} where key <> 'answer:2'`,
  );
  await sqlOn(place, `update intakes set at = ${old}`);
  expect(await store.prune(90 * DAY_MS)).toBeGreaterThan(0);

  const keys = await sqlOn(place, "select key from outbox order by key");
  expect(keys.map(({ key }) => key)).toEqual(["answer:2", "board:c1", "push:j3"]);
  expect([(await store.events("j1")).length, (await store.events("j2")).length]).toEqual([0, 0]);
  // Who the pull request belongs to is known for good.
  expect((await store.job("j1"))?.state).toBe("failed");
  expect(await store.command("c1")).not.toBeNull();
  expect(await sqlOn(place, "select key from intakes")).toEqual([]);
  expect(await store.prune(90 * DAY_MS)).toBe(0);
  expect(await claimNext(store)).toMatchObject({ id: "j3" });
});

test("a private ref that an ended job left is asked for once, and one of a job at work never", async () => {
  const { store } = await aged();
  await store.put({ key: "push:j1", lane: "job:j1", act: push }, 0);
  await store.put({ key: "push:j3", lane: "job:j3", act: push }, 0);
  const left = await store.leftRefs();
  expect(left.map(({ lane, act }) => [lane, act])).toEqual([
    ["job:j1", { kind: "delete_ref", repo, ref: "refs/draftsmith/j1" }],
  ]);
  for (const act of left) await store.put(act, 0);
  expect(await store.leftRefs()).toEqual([]);
});

test("each ref that kept files of an ended job is asked for once, whatever else of it is gone", async () => {
  const { store } = await aged();
  const ref = (slot: number) => `refs/draftsmith/wip/j1/${slot}`;
  for (const slot of [0, 1]) {
    const act = { kind: "keep", repo, commit: "c".repeat(40), ref: ref(slot) } as const;
    await store.put({ key: `keep:j1:${slot}`, lane: "job:j1", act }, 0);
  }
  const gone = { kind: "delete_ref", repo, ref: ref(0) } as const;
  await store.put({ key: "delete-ref:keep:j1:0", lane: "job:j1", act: gone }, 0);
  const left = await store.leftRefs();
  expect(left.map(({ act }) => act)).toEqual([{ kind: "delete_ref", repo, ref: ref(1) }]);
  for (const act of left) await store.put(act, 0);
  expect(await store.leftRefs()).toEqual([]);
});

test("thousands of ended jobs keep nobody waiting", async () => {
  const { place, store } = await aged();
  await store.put({ key: "push:j1", lane: "job:j1", act: push }, 0);
  const numbers =
    "(with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000) select i from n) as numbers";
  const same =
    "command_id, number, repo_id, installation_id, target_kind, state, fence, spec, spend, plan, last_action, reason, conflicts, created_at, ended_at";
  await sqlOn(
    place,
    `insert into jobs (id, key, ${same}) select 'old-' || i, 'old-' || i, ${same} from jobs, ${numbers} where id = 'j1'`,
  );
  for (const kind of ["push", "delete_ref"]) {
    await sqlOn(
      place,
      `insert into outbox (key, lane, kind, act, version, attempts, state, next_at, created_at, updated_at)
       select '${kind}-' || i, 'job:old-' || i, '${kind}', act, 1, 0, 'done', 0, 0, 0
       from outbox, ${numbers} where key = 'push:j1'`,
    );
  }
  const before = performance.now();
  expect(await store.leftRefs()).toHaveLength(1);
  for (const act of await store.leftRefs()) await store.put(act, 0);
  expect(await store.leftRefs()).toEqual([]);
  // It was asked for; what ends from then on is looked at.
  await store.write("j3", 0, { state: "failed", endedAt: Date.now() - 20 * 60_000 });
  await store.put({ key: "push:j3", lane: "job:j3", act: push }, 0);
  expect((await store.leftRefs()).map(({ lane }) => lane)).toEqual(["job:j3"]);
  expect(await store.prune(90 * DAY_MS)).toBeGreaterThanOrEqual(12_000);
  expect(performance.now() - before).toBeLessThan(3_000);
});

test("a text that was refused is tried once more each hour for three days, and nothing else is", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  const hour = 60 * 60_000;
  const refuse = async () => {
    for (const row of await store.take({
      owner: "me",
      leaseMs: 1000,
      asked: ["push:1"],
      except: [],
    }))
      await store.dead(row.id, "me", row.version, "the App is suspended");
  };
  await store.put(aComment("answer:1", "hello"), 0);
  await store.put(aComment("answer:old", "hello"), 0);
  await store.put({ key: "push:1", lane: "job:j9", act: push }, 0);
  await refuse();
  const revive = () => store.revive(hour, 3 * DAY_MS);
  expect(await revive()).toBe(0);
  const ago = (ms: number) => Date.now() - ms;
  const later = () => sqlOn(place, `update outbox set updated_at = ${ago(2 * hour)}`);
  await sqlOn(place, `update outbox set created_at = ${ago(4 * DAY_MS)} where key = 'answer:old'`);
  for (let times = 0; times < 2; times += 1) {
    await later();
    expect(await revive()).toBe(1);
    expect(await store.get("answer:1")).toMatchObject({ state: "pending" });
    for (const key of ["push:1", "answer:old"])
      expect(await store.get(key)).toMatchObject({ state: "dead" });
    await refuse();
    expect(await revive()).toBe(0);
  }
});
