import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { toError } from "../../core/errors.ts";
import { checkSqlite } from "./check-sqlite.ts";

/** What a look at a database found; `schema` is null where there are no tables of ours yet. */
export type StoreAnswer = { schema: number | null; writable: boolean } | { error: Error };

const CONNECT_MS = 5_000;

/** Looks at a SQLite file without changing it; null when there is none yet. */
export function examineSqlite(file: string): StoreAnswer | null {
  if (!existsSync(file)) return null;
  try {
    checkSqlite(file, { whole: true });
    const handle = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    try {
      const tables = handle.prepare(
        "select count(*) as tables from sqlite_master where name = 'migrations'",
      );
      if (tables.get()?.tables === 0) return { schema: null, writable: true };
      const row = handle.prepare("select max(number) as last from migrations").get();
      return { schema: Number(row?.last ?? 0), writable: true };
    } finally {
      handle.close();
    }
  } catch (thrown) {
    return { error: toError(thrown) };
  }
}

/** Asks a PostgreSQL database what it is, without changing it. */
export async function examinePostgres(url: string): Promise<StoreAnswer> {
  let client: pg.Client | null = null;
  try {
    client = new pg.Client({
      connectionString: url,
      application_name: "draftsmith-doctor",
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: CONNECT_MS,
    });
    // What breaks later fails the question that is under way.
    client.on("error", () => undefined);
    await client.connect();
    const asked = await client.query(
      `select to_regclass('migrations') is not null as ours,
         current_setting('transaction_read_only') = 'off'
           and has_database_privilege(current_database(), 'CREATE')
           and has_schema_privilege('public', 'CREATE') as writable`,
    );
    const { ours, writable } = asked.rows[0];
    const migrations = ours ? await client.query("select max(number) from migrations") : null;
    return { schema: migrations === null ? null : Number(migrations.rows[0].max), writable };
  } catch (thrown) {
    return { error: toError(thrown) };
  } finally {
    // It has told what it knows, or never came up.
    await client?.end().catch(() => undefined);
  }
}
