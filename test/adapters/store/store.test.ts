import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { openSqlite } from "../../../src/adapters/store/sqlite.ts";
import { openStore } from "../../../src/adapters/store/store.ts";
import { UserError } from "../../../src/core/errors.ts";
import { writeFirstStore } from "../../support/first-schema.ts";
import { storeDirectory, storeOn } from "../../support/open-test-store.ts";
import {
  aCommand,
  aComment,
  aDelivery,
  admitAll,
  aHeard,
  aJob,
  claimNext,
} from "../../support/store-rows.ts";

test("a commit is on the disk before it is told", async () => {
  const { tables } = await openSqlite(join(storeDirectory(), "draftsmith.db"));
  onTestFinished(() => tables.destroy());
  const pragma = async (name: string) =>
    (await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(tables)).rows[0]?.[name];
  // FULL: in WAL mode each commit is synced; with less, a power failure takes the last ones.
  expect(await pragma("synchronous")).toBe(2);
  expect(await pragma("journal_mode")).toBe("wal");
});

test("everything is there after the store was closed and opened again", async () => {
  const file = join(storeDirectory(), "draftsmith.db");
  const first = await openStore({ file });
  const command = aCommand("c1");
  const jobs = [aJob("j1", command)];
  const acts = [aComment("board", "queued")];
  await first.accept({ delivery: aDelivery("d1"), command, jobs, acts, admit: admitAll });
  await claimNext(first);
  await first.write("j1", 1, { state: "running" }, [{ type: "note", text: "began" }]);
  const before = [await first.job("j1"), await first.get("board"), await first.events("j1")];
  await first.close();

  const second = await storeOn({ file });

  expect([await second.job("j1"), await second.get("board"), await second.events("j1")]).toEqual(
    before,
  );
  expect(await second.command("c1")).toEqual(command);
  expect(await second.known("d1", "")).toBe(true);
  expect(await claimNext(second)).toBeNull();
});

test("the file and its companions belong to their owner alone, in a directory made for them", async () => {
  const dir = join(storeDirectory(), "data", "here");
  const file = join(dir, "draftsmith.db");
  const store = await storeOn({ file });
  await store.put(aComment("board", "queued"), 0);
  const modes = [file, `${file}-wal`, `${file}-shm`].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o600, 0o600, 0o600]);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

test("a file that others could read is closed to them", async () => {
  const file = join(storeDirectory(), "draftsmith.db");
  writeFileSync(file, "", { mode: 0o644 });
  await storeOn({ file });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a file written by a newer version is refused and left as it is", async () => {
  const file = join(storeDirectory(), "draftsmith.db");
  await (await openStore({ file })).close();
  const raw = new DatabaseSync(file);
  raw.exec("insert into migrations (number, applied_at) values (99, 0)");
  raw.close();

  const opening = openStore({ file });

  await expect(opening).rejects.toThrow(UserError);
  await expect(opening).rejects.toThrow(
    /it was written by a newer Draftsmith \(schema 99; this one knows \d+\): start that version$/,
  );
});

test("a file that is no database is refused by name and left as it is", async () => {
  const file = join(storeDirectory(), "draftsmith.db");
  writeFileSync(file, "these are the notes of somebody else\n".repeat(100));
  await expect(openStore({ file })).rejects.toThrow(UserError);
  await expect(openStore({ file })).rejects.toThrow(`cannot use the database ${file}: file is not`);
  expect(statSync(file).size).toBe(3700);
});

test("a store answers until it is closed; closing twice is harmless", async () => {
  const store = await openStore({ file: join(storeDirectory(), "draftsmith.db") });
  await expect(store.ready()).resolves.toBeUndefined();
  await store.close();
  await store.close();
  await expect(store.ready()).rejects.toThrow("destroyed");
});

test("a write waits for another writer without stopping the event loop", async () => {
  const file = join(storeDirectory(), "draftsmith.db");
  const store = await storeOn({ file });
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  let answered = false;
  const answer = store.answer(aHeard("d1"), [], admitAll).finally(() => {
    answered = true;
  });

  // Were the loop stopped, this timer would not fire before the wait is over and has failed.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(answered).toBe(false);
  other.exec("COMMIT");
  other.close();

  expect(await answer).toBe("accepted");
});

test("what the first version stored is known, counted and goes on", async () => {
  const file = join(storeDirectory(), "draftsmith.db");
  writeFirstStore(file);

  const store = await storeOn({ file });

  expect(await store.known("another delivery", "4000000001/5000000002")).toBe(true);
  expect(await claimNext(store)).toMatchObject({ id: "j1", priority: 10, attempts: 1 });
  expect((await store.job("j1"))?.config.enabled).toBe(true);
});

test("a file that is taken away while it is open takes nothing more, and goes on when it is back", async () => {
  const dir = storeDirectory();
  const file = join(dir, "draftsmith.db");
  const store = await storeOn({ file });
  await store.put(aComment("board", "queued"), 0);
  renameSync(file, `${file}.away`);
  await expect(store.put(aComment("second", "queued"), 0)).rejects.toThrow(
    /its file was taken away or replaced; put it back/,
  );
  await expect(store.ready()).rejects.toThrow(/taken away/);
  renameSync(`${file}.away`, file);
  await store.put(aComment("third", "queued"), 0);
  expect([await store.get("second"), (await store.get("third"))?.key]).toEqual([null, "third"]);
});

test("a file that becomes damaged while it is open is told, and nothing more is written to it", async () => {
  const file = join(storeDirectory(), "draftsmith.db");
  const first = await openStore({ file });
  for (let at = 0; at < 300; at += 1)
    await first.put(aComment(`board ${at}`, "x".repeat(20_000)), 0);
  await first.close();
  const store = await storeOn({ file });
  const damaged = readFileSync(file).fill(0x5a, 4096 * 40);
  writeFileSync(file, damaged);

  const reading = (async () => {
    for (let at = 0; at < 300; at += 1) await store.get(`board ${at}`);
  })();

  await expect(reading).rejects.toThrow(/is damaged; stop the server.*restore the last backup/);
  await expect(store.put(aComment("board 1", "more"), 0)).rejects.toThrow(/is damaged/);
  await expect(store.ready()).rejects.toThrow(/is damaged/);
  expect(readFileSync(file).equals(damaged)).toBe(true);
});
