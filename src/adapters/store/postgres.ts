import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import type { Log } from "../../core/ports.ts";
import type { Database, Tables } from "./schema.ts";

/** Connections of one process; PostgreSQL itself allows 100 by default. */
const MAX_CONNECTIONS = 10;
const CONNECT_MS = 5_000;
/** No statement of ours takes long: one that hangs on a dead connection must not hang its caller. */
const STATEMENT_MS = 30_000;

/** What each transaction that needs them takes, so that no two processes are in one at a time. */
const LOCKS = { schema: 7_301, intake: 7_302, claim: 7_303 } as const;

/** Opens a PostgreSQL database by its URL. It connects when it is first asked. */
export function openPostgres(url: string, log: Log): Omit<Database, "announce"> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "draftsmith",
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    keepAlive: true,
    types: { getTypeParser },
  });
  // A connection that breaks while nobody uses it is replaced; without a listener it would end the process.
  pool.on("error", (error) => log.warn({ err: error }, "a connection to PostgreSQL broke"));
  return {
    engine: "postgres",
    tables: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
    // Not now(): that is when the transaction began.
    now: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
    countingKey: (column) => column.primaryKey().generatedByDefaultAsIdentity(),
    async alone(transaction, what) {
      await sql`select pg_advisory_xact_lock(${sql.lit(LOCKS[what])})`.execute(transaction);
    },
  };
}

/** Integers of 64 bits as numbers: the largest are ids of GitHub and times in ms, far below 2^53. */
function getTypeParser(oid: number, format?: "text" | "binary") {
  if (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC) return Number;
  return pg.types.getTypeParser(oid, format);
}
