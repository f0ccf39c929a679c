import { expect, test } from "vitest";
import { migrate, NEWEST_SCHEMA } from "../../../../src/adapters/store/migrations.ts";
import { openPatiently, openStore } from "../../../../src/adapters/store/store.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../../../support/store-rows.ts";

test("processes that open a new database at once all get it, and each migration runs once", async () => {
  const place = await newPlace();
  const stores = await Promise.all([1, 2, 3, 4].map(() => openStore(place)));
  await Promise.all(stores.map((store) => store.ready()));
  await Promise.all(stores.map((store) => store.close()));
  const [counts] = await sqlOn(
    place,
    "select count(*) as applied, max(number) as last from migrations",
  );
  expect([Number(counts?.applied), Number(counts?.last)]).toEqual([NEWEST_SCHEMA, NEWEST_SCHEMA]);
});

test("a database of every earlier schema is brought up to date and works", async () => {
  for (let schema = 1; schema < NEWEST_SCHEMA; schema += 1) {
    const place = await newPlace();
    const old = await openPatiently(place);
    await migrate(old, schema);
    await old.tables.destroy();
    const store = await storeOn(place);
    const command = aCommand("c1");
    await acceptJobs(store, command, [aJob("j1", command)]);
    expect((await claimNext(store))?.id).toBe("j1");
  }
});

test("a process older than the schema is refused with the remedy, and changes nothing", async () => {
  const place = await newPlace();
  await (await openStore(place)).close();
  await sqlOn(
    place,
    "insert into migrations (number, applied_at) values (999, 1) returning number",
  );
  const before = await sqlOn(place, "select * from migrations order by number");
  await expect(openStore(place)).rejects.toThrow(
    /newer Draftsmith \(schema 999; this one knows \d+\): start that version/,
  );
  expect(await sqlOn(place, "select * from migrations order by number")).toEqual(before);
});
