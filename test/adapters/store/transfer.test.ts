import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { openStore, type Store, type StorePlace } from "../../../src/adapters/store/store.ts";
import { exportStore, importStore } from "../../../src/adapters/store/transfer.ts";
import { aCall, answered, caps } from "../../support/calls.ts";
import { writeFirstStore } from "../../support/first-schema.ts";
import { silentLog } from "../../support/log.ts";
import { sqlOn, storeDirectory } from "../../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres.ts";
import { aCommand, aComment, acceptJobs, aJob, claimNext } from "../../support/store-rows.ts";

let server: Promise<PostgresServer> | null = null;
afterAll(async () => (await server)?.stop());

async function postgres(): Promise<StorePlace> {
  server ??= startPostgres();
  return { url: await (await server).database(), log: silentLog };
}

function sqlite(): StorePlace {
  return { file: join(storeDirectory(), "draftsmith.db") };
}

function target(): string {
  return join(storeDirectory(), "rows.ndjson");
}

/** Rows with what is hard to carry over: line ends of all kinds, quotes, other scripts, large numbers. */
async function fillStore(store: Store): Promise<void> {
  const title = "Line\u2028separator, 'quotes', \"more\", 日本語, 🙂";
  const subject = { title, body: "one\r\ntwo", author: null, revision: "0123456789ab" };
  const command = aCommand("c1", { subject });
  const jobs = ["Z", "a", "é", "_", "10", "9"].map((id, index) =>
    aJob(`job-${id}`, command, { number: index + 1, task: "two\r\nlines" }),
  );
  await acceptJobs(store, command, jobs);
  const job = await claimNext(store, { leaseMs: 1 });
  if (!job) throw new Error("nothing to claim");
  for (let place = 0; place < 60; place += 1) {
    await store.write(job.id, job.fence, { lastAction: "line\u2029end" }, [
      { type: "note", text: `${place} ${"x".repeat(500)}` },
    ]);
  }
  await store.reserve(aCall("call-1", job.id, { fence: job.fence, skill: null }), caps());
  await store.settle("call-1", answered(850));
  await store.reserve(aCall("call-2", job.id, { fence: job.fence }), caps());
  const publication = { pull: 40, url: "", headSha: "b".repeat(40), draft: true };
  await store.write(job.id, job.fence, { publication });
  await store.merged(command.repo.id, 40, 1_772_000_000_000);
  await store.put(aComment("board", "queued"), 0);
  await store.put(aComment("second", "queued"), 0);
  await store.setCursor("deliveries", "9007199254740991");
}

async function filled(place: StorePlace): Promise<void> {
  const store = await openStore(place);
  await fillStore(store);
  await store.close();
}

async function rowsIn(place: StorePlace): Promise<unknown> {
  const store = await openStore(place);
  try {
    const jobs = await store.jobsOf("c1");
    const events = await Promise.all(jobs.map((job) => store.events(job.id)));
    return [
      await store.command("c1"),
      jobs,
      events,
      await store.get("board"),
      await store.cursor("deliveries"),
    ];
  } finally {
    await store.close();
  }
}

test("everything goes from SQLite to PostgreSQL and back, row for row", async () => {
  const [from, over, back] = [sqlite(), await postgres(), sqlite()];
  await filled(from);
  const files = [target(), target(), target()] as const;

  const first = await exportStore(from, files[0]);
  await importStore(over, files[0], { replace: false });
  await exportStore(over, files[1]);
  await importStore(back, files[1], { replace: false });
  await exportStore(back, files[2]);

  expect(first.jobs?.rows).toBe(6);
  expect(first.events?.rows).toBe(60);
  expect(first.outbox?.rows).toBe(2);
  expect([first.calls?.rows, first.merges?.rows]).toEqual([2, 1]);
  expect(readFileSync(files[1], "utf8")).toBe(readFileSync(files[0], "utf8"));
  expect(readFileSync(files[2], "utf8")).toBe(readFileSync(files[0], "utf8"));
  const before = await rowsIn(from);
  expect(await rowsIn(over)).toEqual(before);
  expect(await rowsIn(back)).toEqual(before);
  expect(statSync(files[0]).mode & 0o777).toBe(0o600);
});

test("where rows were imported, work goes on: numbers count on and jobs are claimed", async () => {
  const [from, over] = [sqlite(), await postgres()];
  await filled(from);
  const file = target();
  await exportStore(from, file);
  await importStore(over, file, { replace: false });
  const store = await openStore(over);
  onTestFinished(() => store.close());
  const stored = await store.put(aComment("third", "queued"), 0);
  expect(stored.id).toBe(3);
  expect(await claimNext(store)).not.toBeNull();
});

test("a target that holds rows is left as it is, unless they are to go", async () => {
  const [from, over] = [sqlite(), await postgres()];
  await filled(from);
  const file = target();
  await exportStore(from, file);
  await filled(over);
  const other = await openStore(over);
  await acceptJobs(other, aCommand("c2"), [aJob("more", aCommand("c2"))]);
  await other.close();

  await expect(importStore(over, file, { replace: false })).rejects.toThrow(
    /has rows already.*--replace/,
  );
  expect(await sqlOn(over, "select id from commands order by id")).toEqual([
    { id: "c1" },
    { id: "c2" },
  ]);
  await importStore(over, file, { replace: true });
  expect(await sqlOn(over, "select id from commands")).toEqual([{ id: "c1" }]);
  // Once more is the same as once.
  await importStore(over, file, { replace: true });
  expect(await rowsIn(over)).toEqual(await rowsIn(from));
});

test.each([
  ["another file", () => "# Draftsmith\n", /is no export/],
  ["an empty file", () => "", /is empty/],
  [
    "a file that lacks its end",
    (text: string) => text.split("\n").slice(0, -2).join("\n"),
    /ends too early/,
  ],
  [
    "a file that is cut off in a line",
    (text: string) => text.slice(0, text.length / 2),
    /cut off|too early/,
  ],
  [
    "a changed value",
    (text: string) => text.replace("queued", "quEued"),
    /the digest of jobs differs/,
  ],
  [
    "a line less",
    (text: string) =>
      text
        .split("\n")
        .filter((line) => !line.includes('"job-é"'))
        .join("\n"),
    /rows of jobs/,
  ],
  ["a line behind the end", (text: string) => `${text}["jobs",1]\n`, /goes on behind its end/],
  ["a later format", (text: string) => text.replace('"format":1', '"format":2'), /format 2/],
  [
    "a later schema",
    (text: string) => text.replace(/"schema":\d+/, '"schema":999'),
    /newer Draftsmith/,
  ],
])("%s is told, and nothing is imported", async (_name, change, reason) => {
  const from = sqlite();
  await filled(from);
  const file = target();
  await exportStore(from, file);
  writeFileSync(file, change(readFileSync(file, "utf8")));
  const into = sqlite();
  await filled(into);
  const before = await rowsIn(into);
  await expect(importStore(into, file, { replace: true })).rejects.toThrow(reason);
  expect(await rowsIn(into)).toEqual(before);
});

test("rows that the target cannot hold are told, and nothing is imported", async () => {
  const from = sqlite();
  await filled(from);
  await sqlOn(from, "update jobs set reason = 'a' || char(0) || 'b' where id = 'job-9'");
  const file = target();
  await exportStore(from, file);
  const over = await postgres();
  await expect(importStore(over, file, { replace: false })).rejects.toThrow(
    /rows of jobs cannot be stored/,
  );
  expect(await sqlOn(over, "select count(*)::int as rows from commands")).toEqual([{ rows: 0 }]);
});

test("what an old version stored is moved, and brought up to date where it arrives", async () => {
  const from = sqlite();
  if (!("file" in from)) throw new Error("no file");
  writeFirstStore(from.file);
  const file = target();
  await exportStore(from, file);
  const over = await postgres();
  await importStore(over, file, { replace: false });
  expect(await rowsIn(over)).toEqual(await rowsIn(from));
});

test("a database that a server uses is neither exported nor overwritten", async () => {
  const [from, over] = [sqlite(), await postgres()];
  await filled(from);
  const file = target();
  await exportStore(from, file);
  const store = await openStore(over);
  onTestFinished(() => store.close());
  await store.ready();
  const used = /a Draftsmith server uses it: stop all web and worker processes/;
  await expect(exportStore(over, target())).rejects.toThrow(used);
  await expect(importStore(over, file, { replace: true })).rejects.toThrow(used);
});

test("a worker that was seen a moment ago counts, whether it is connected or not", async () => {
  const over = await postgres();
  const store = await openStore(over);
  await store.seen({ id: "w1", slots: 1, busy: 0, mirrors: [] });
  await store.close();
  await expect(exportStore(over, target())).rejects.toThrow(/a Draftsmith server uses it/);
  await sqlOn(over, "update workers set seen_at = seen_at - 31000");
  await exportStore(over, target());
});

test("a process that is idle and keeps no connection counts, until it ends", async () => {
  const over = await postgres();
  const store = await openStore(over);
  await store.hold("places", "web/1", 40_000);
  await store.close();
  const file = target();
  await expect(exportStore(over, file)).rejects.toThrow(/a Draftsmith server uses it/);
  const after = await openStore(over);
  await after.letGo("places", "web/1");
  await after.close();
  await exportStore(over, file);
  expect(readFileSync(file, "utf8")).not.toContain("web/1");
});

test("a file that exists is not written over, and what is half written has no name", async () => {
  const from = sqlite();
  await filled(from);
  const file = target();
  writeFileSync(file, "mine");
  await expect(exportStore(from, file)).rejects.toThrow(/is there already/);
  expect(readFileSync(file, "utf8")).toBe("mine");
  await expect(exportStore(from, join(file, "below"))).rejects.toThrow(/cannot be written/);
});
