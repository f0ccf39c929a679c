import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { afterAll, onTestFinished } from "vitest";
import { openStore, type Store, type StorePlace } from "../../src/adapters/store/store.ts";
import { silentLog } from "./log.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";

/** Which database the tests of this run are for. */
export const onPostgres = process.env.DRAFTSMITH_TEST_STORE === "postgres";

let server: Promise<PostgresServer> | null = null;
// Benchmarks use this outside of tests, where there is nothing to wait for.
if (onPostgres) afterAll(async () => (await server)?.stop());

/** A fresh directory that goes when the test ends. */
export function storeDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), "draftsmith-store-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** An empty database of the kind this run is for. */
export async function newPlace(): Promise<StorePlace> {
  if (!onPostgres) return { file: join(storeDirectory(), "draftsmith.db") };
  server ??= startPostgres();
  return { url: await (await server).database(), log: silentLog };
}

/** Restarts PostgreSQL under everybody who is connected to it. */
export async function restartPostgres(): Promise<void> {
  await (await server)?.restart();
}

/** A store that is closed when the test ends; on a new database unless one is given. */
export async function storeOn(place?: StorePlace): Promise<Store> {
  const store = await openStore(place ?? (await newPlace()));
  onTestFinished(() => store.close());
  return store;
}

/** Runs one statement past the store; its rows. */
export async function sqlOn(place: StorePlace, text: string): Promise<Record<string, unknown>[]> {
  if ("file" in place) {
    const database = new DatabaseSync(place.file, { timeout: 5_000 });
    try {
      return database
        .prepare(text)
        .all()
        .map((row) => ({ ...row }));
    } finally {
      database.close();
    }
  }
  const client = new pg.Client(place.url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
