import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { examinePostgres } from "../../src/adapters/store/examine.ts";
import { NEWEST_SCHEMA } from "../../src/adapters/store/migrations.ts";
import { openStore } from "../../src/adapters/store/store.ts";
import { readConfig } from "../../src/config.ts";
import { sizeFindings, storeFindings } from "../../src/core/doctor/store.ts";
import { silentLog } from "../support/log.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { aComment } from "../support/store-rows.ts";

const MB = 1024 * 1024;
const WHERE = { engine: "PostgreSQL", name: "db" } as const;
const PASSWORD = "not-a-secret";

let server: PostgresServer;
let url: string;
beforeAll(async () => {
  server = await startPostgres();
  url = await server.database();
});
afterAll(() => server.stop());

/** The URL of the same database, with one part of it changed. */
function changed(part: Partial<URL>): string {
  return Object.assign(new URL(url), part).href;
}

async function sql(text: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(text);
  await client.end();
}

async function told(wrong: string) {
  const [finding] = storeFindings(await examinePostgres(wrong), WHERE, 5);
  const opening = openStore({ url: wrong, log: silentLog }).then(
    async (store) => {
      await store.close();
      return "";
    },
    (error: Error) => error.message,
  );
  const started = await opening;
  for (const text of [JSON.stringify(finding), started]) {
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain("wrong-password");
  }
  return { finding, started };
}

describe("a DATABASE_URL that leads nowhere is told with its remedy, and without its password", () => {
  it.each([
    ["the password", { password: "wrong-password" }, /the right one/],
    ["no password", { password: "" }, /put it into DATABASE_URL|right one/],
    ["the user", { username: "nobody" }, /right one|user name/],
    ["the database", { pathname: "/absent" }, /createdb/],
    ["the port", { port: "1" }, /start PostgreSQL/i],
    ["the host", { hostname: "nowhere.invalid" }, /its name|look/i],
    ["TLS", { search: "?sslmode=require" }, /sslmode/],
  ])("%s is wrong", async (_, part, remedy) => {
    const { finding, started } = await told(changed(part));
    expect(finding).toMatchObject({ level: "fail", about: "database" });
    expect(finding?.remedy).toMatch(remedy);
    expect(started).toMatch(remedy);
  });

  it("something else answers there", async () => {
    const other = createServer((_, response) => response.end("hello"));
    other.listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const port = String((other.address() as AddressInfo).port);
    const { finding } = await told(changed({ port }));
    expect(finding).toMatchObject({ level: "fail", remedy: expect.stringMatching(/\w+/) });
  });

  it("its user may make no tables there, or nothing may be written", async () => {
    await sql("create role weak login password 'not-a-secret'");
    const weak = await told(changed({ username: "weak" }));
    expect(weak.finding).toMatchObject({
      level: "fail",
      said: expect.stringContaining("no tables"),
    });
    expect(weak.started).toMatch(/owner of the database/);
    const readOnly = await server.database();
    const name = new URL(readOnly).pathname.slice(1);
    await sql(`alter database ${name} set default_transaction_read_only = on`);
    const standby = await told(readOnly);
    expect(standby.finding).toMatchObject({ level: "fail" });
    expect(standby.started).toMatch(/primary|read_only/);
  });

  it.each([
    "mysql://user:pw-abc@host/db",
    "postgres://user:pw%abc@host/db",
    "postgres://user:pw-abc#1@host/db",
    "postgres://user:pw-abc@host",
    "postgres://user:pw abc@host/db",
    "postgres://user:pw-abc@host:port/db",
  ])("%s is no URL of a database", (wrong) => {
    let said = "";
    try {
      readConfig({ DATABASE_URL: wrong }, "/nonexistent", 1000);
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain("DATABASE_URL: must be a URL such as postgres://");
    expect(said).not.toMatch(/pw.abc/);
  });
});

it("what is there is told: tables to be made, the schema, an older and a newer one", async () => {
  const fresh = await server.database();
  const look = async (newest: number) =>
    storeFindings(await examinePostgres(fresh), WHERE, newest)[0];
  expect(await look(5)).toMatchObject({
    level: "ok",
    said: expect.stringContaining("will be made"),
  });
  await (await openStore({ url: fresh, log: silentLog })).close();
  expect(await look(99)).toMatchObject({ said: expect.stringContaining("brought to 99") });
  expect(await look(1)).toMatchObject({ level: "fail", said: expect.stringContaining("knows 1") });
});

it("texts that GitHub refused for good are told with the newest reason", async () => {
  const fresh = await server.database();
  const store = await openStore({ url: fresh, log: silentLog });
  const told = async () => storeFindings(await examinePostgres(fresh), WHERE, NEWEST_SCHEMA)[1];
  await store.put(aComment("board:1", "hello"), 0);
  expect(await told()).toBeUndefined();
  const [row] = await store.take({ owner: "me", leaseMs: 9, asked: [], except: [] });
  await store.dead(row?.id ?? 0, "me", row?.version ?? 0, "the conversation is locked");
  await store.close();
  expect(await told()).toMatchObject({
    level: "warn",
    said: expect.stringMatching(/^1 text was refused.*the conversation is locked$/),
    remedy: expect.stringContaining("a write to GitHub was given up"),
  });
});

it("the size of the data directory is held against its bound and the disk", () => {
  expect(sizeFindings(10 * MB, 256, 900 * MB)[0]?.level).toBe("ok");
  expect(sizeFindings(300 * MB, 256, 900 * MB)[0]).toMatchObject({
    level: "warn",
    said: "DATA_DIR takes 300 MB of 256 MB; 900 MB of the disk are free",
  });
  expect(sizeFindings(10 * MB, 256, 90 * MB)[0]?.remedy).toContain("to less");
});
