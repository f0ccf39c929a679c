import { expect, test } from "vitest";
import type { Store } from "../../../../src/adapters/store/store.ts";
import type { Act } from "../../../../src/core/act.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { aComment } from "../../../support/store-rows.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Takes what is due, and says what was put off. */
async function take(store: Store, { owner = "here/1", paced = true, most = 500 } = {}) {
  const rows = await store.take({
    ...{ owner, leaseMs: MINUTE, asked: [], except: [], most, paced },
  });
  return {
    taken: rows.filter(({ putOffMs }) => putOffMs === 0),
    putOff: rows.filter(({ putOffMs }) => putOffMs > 0),
  };
}

/** Acts that make nothing new, one lane each. */
async function putEdits(store: Store, count: number, installationId = 7): Promise<void> {
  const repo = { installationId, id: 1, owner: "octo", name: "shop" };
  for (let n = 0; n < count; n += 1) {
    const key = `pull-body ${installationId}/${n}`;
    const act: Act = { kind: "pull_body", repo, pull: n, body: "hello" };
    await store.put({ key, lane: key, act }, 0);
  }
}

test("of many writes of an installation GitHub gets so many at once, whoever takes them; the others have their time", async () => {
  const place = await newPlace();
  const stores = await Promise.all([storeOn(place), storeOn(place), storeOn(place)]);
  const [store] = stores;
  await putEdits(store, 60);
  await putEdits(store, 3, 8);
  const looks = await Promise.all(
    stores.map((each, at) => take(each, { owner: `p${at}/1`, most: 30 })),
  );
  const own = (row: { act: Act }) => row.act.repo.installationId === 7;
  const taken = looks.flatMap((look) => look.taken);
  const rest = await take(store);
  const both = [...taken, ...rest.taken];
  // A little more may have come into the bucket meanwhile.
  expect(both.filter(own).length).toBeGreaterThanOrEqual(24);
  expect(both.filter(own).length).toBeLessThanOrEqual(40);
  expect(both.filter((row) => !own(row))).toHaveLength(3);
  expect(new Set(both.map(({ id }) => id)).size).toBe(both.length);
  const waits = [...looks, rest].flatMap(({ putOff }) => putOff.map(({ putOffMs }) => putOffMs));
  expect(waits.length).toBeGreaterThan(0);
  expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
  // Nobody holds what waits, and nobody is told before its time.
  expect((await take(store)).putOff.length).toBeLessThan(5);
  const [held] = await sqlOn(
    place,
    "select count(*) as n from outbox where lease_owner is not null",
  );
  expect(Number(held?.n)).toBe(both.length);
  const [next] = await sqlOn(place, "select max(attempts) as n from outbox");
  expect(Number(next?.n)).toBe(0);
});

test("words for people come before the rest, and edits that are followed by others last", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  // A board that stands, and will be edited again.
  await store.put(aComment("board", "one"), 0);
  const [board] = (await take(store)).taken;
  await store.done(board?.id ?? 0, "here/1", 1, { id: 1 });
  await store.put(aComment("board", "two"), 0);
  await putEdits(store, 40);
  await store.put(aComment("answer", "stopped"), 0);
  const first = await take(store);
  expect(first.taken.map(({ key }) => key)).toContain("answer");
  // The last word of a board waits for nothing either.
  expect(first.taken.map(({ key }) => key)).toContain("board");

  await store.put(aComment("board 2", "one"), 0);
  const [second] = (await take(store)).taken;
  expect(second?.key).toBe("board 2");
  await store.done(second?.id ?? 0, "here/1", 1, { id: 2 });
  await store.put(aComment("board 2", "two"), MINUTE);
  await sqlOn(place, "update outbox set next_at = 0 where key = 'board 2'");
  const later = await take(store);
  expect(later.putOff.map(({ key }) => key)).toContain("board 2");
});

test("a host without known limits is not paced until GitHub says that it was too much", async () => {
  const place = await newPlace();
  const [store, other] = [await storeOn(place), await storeOn(place)];
  await putEdits(store, 80);
  expect((await take(store, { paced: false })).taken).toHaveLength(80);
  expect(await sqlOn(place, "select * from paces")).toEqual([]);

  await other.slow(7, 0);
  await store.releaseAll("here");
  const after = await take(store, { paced: false });
  // Ten are left after a limit, of which such acts leave some.
  expect(after.taken.length).toBeGreaterThanOrEqual(3);
  expect(after.taken.length).toBeLessThan(30);
  expect(after.putOff.length).toBe(80 - after.taken.length);
});

test("pauses and paces that say nothing any more go, and those that do stay", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  await putEdits(store, 1, 7);
  await putEdits(store, 1, 8);
  await take(store);
  await store.pause(8, MINUTE, "now");
  await store.pause(7, 0, "over");
  await sqlOn(place, `update paces set writes = 1, minute = 1, hour = 1 where installation_id = 7`);
  await store.prune(90 * DAY);
  for (const table of ["paces", "pauses"]) {
    const rows = await sqlOn(place, `select installation_id as id from ${table}`);
    expect(
      rows.map(({ id }) => Number(id)),
      table,
    ).toEqual([8]);
  }
});
