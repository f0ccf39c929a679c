import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { toError } from "../../core/errors.ts";
import { checkSqlite } from "./check-sqlite.ts";
import { NEWEST_SCHEMA } from "./migrations.ts";

/** What a look at a database found; `schema` is null where there are no tables of ours yet. */
export type StoreAnswer =
  | { schema: number | null; writable: boolean; untold: Untold }
  | { error: Error };

/** Texts that GitHub refused until they were given up: how many, and what it said of the newest. */
type Untold = { count: number; reason: string };

const NOTHING_UNTOLD: Untold = { count: 0, reason: "" };
const UNTOLD = `select count(*) as count, coalesce((select last_error from outbox
  where state = 'dead' and kind = 'comment' order by updated_at desc limit 1), '') as reason
  from outbox where state = 'dead' and kind = 'comment'`;

/** An earlier schema may lack what is asked for: then nothing is said of it. */
function untoldIn(schema: number, row: () => Record<string, unknown> | undefined): Untold {
  if (schema !== NEWEST_SCHEMA) return NOTHING_UNTOLD;
  const found = row();
  return { count: Number(found?.count ?? 0), reason: String(found?.reason ?? "") };
}

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
      if (tables.get()?.tables === 0) {
        return { schema: null, writable: true, untold: NOTHING_UNTOLD };
      }
      const row = handle.prepare("select max(number) as last from migrations").get();
      const schema = Number(row?.last ?? 0);
      const untold = untoldIn(schema, () => handle.prepare(UNTOLD).get());
      return { schema, writable: true, untold };
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
    if (!ours) return { schema: null, writable, untold: NOTHING_UNTOLD };
    const migrations = await client.query("select max(number) from migrations");
    const schema = Number(migrations.rows[0].max);
    const dead = schema === NEWEST_SCHEMA ? await client.query(UNTOLD) : null;
    return { schema, writable, untold: untoldIn(schema, () => dead?.rows[0]) };
  } catch (thrown) {
    return { error: toError(thrown) };
  } finally {
    // It has told what it knows, or never came up.
    await client?.end().catch(() => undefined);
  }
}
