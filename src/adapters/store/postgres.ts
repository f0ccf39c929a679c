import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type DatabaseConnection,
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type TransactionSettings,
} from "kysely";
import pg from "pg";
import type { Log } from "../../core/ports.ts";
import type { Database, Tables } from "./schema.ts";

/** Connections of one process; PostgreSQL itself allows 100 by default. */
const MAX_CONNECTIONS = 10;
const CONNECT_MS = 5_000;
/**
 * No statement of ours takes long. GitHub waits 10 s for an answer: what stands still for longer than
 * this is better told as a failure.
 */
const STATEMENT_MS = 8_000;
/** How long an unused connection is kept: less than it may be silent. */
const IDLE_MS = 5_000;
const SCHEMA_LOOK_MS = 250;

/** What each transaction that needs them takes, so that no two processes are in one at a time. */
const LOCKS = { schema: 7_301, intake: 7_302, claim: 7_303, ledger: 7_304 } as const;

/**
 * Opens a PostgreSQL database by its URL. It connects when it is first asked. With `patient` a statement
 * may take as long as it takes: one that works through a whole table does.
 */
export function openPostgres(
  url: string,
  log: Log,
  { patient = false } = {},
): Omit<Database, "announce"> {
  const limit = patient ? 0 : STATEMENT_MS;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "draftsmith",
    max: patient ? 1 : MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    types: { getTypeParser },
    stream: () => attentive(limit),
  });
  // A connection that breaks is replaced; without a listener it would end the process.
  pool.on("error", (error) => log.warn({ err: error }, "a connection to PostgreSQL broke"));
  pool.on("connect", (client) => {
    // While somebody has the connection the pool does not listen to it; the statement fails by itself.
    client.on("error", (error) => log.debug({ err: error }, "a connection to PostgreSQL broke"));
    // Not among the parameters of the connection: PgBouncer refuses those that it does not know.
    client
      .query(
        `set statement_timeout = ${limit}; set idle_in_transaction_session_timeout = ${STATEMENT_MS}`,
      )
      .catch((error) => log.warn({ err: error }, "a connection to PostgreSQL has no time limit"));
  });
  return {
    engine: "postgres",
    tables: new Kysely<Tables>({ dialect: dialect(pool) }),
    // Not now(): that is when the transaction began.
    now: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
    countingKey: (column) => column.primaryKey().generatedByDefaultAsIdentity(),
    async alone(transaction, what) {
      const lock = sql.lit(LOCKS[what]);
      if (what !== "schema") {
        await sql`select pg_advisory_xact_lock(${lock})`.execute(transaction);
        return;
      }
      // Whoever has this one may need long.
      const attempt = sql<{ got: boolean }>`select pg_try_advisory_xact_lock(${lock}) as got`;
      while (!(await attempt.execute(transaction)).rows[0]?.got) await sleep(SCHEMA_LOOK_MS);
    },
  };
}

function dialect(pool: pg.Pool): Dialect {
  return {
    createDriver: () => new ReadCommittedDriver({ pool }),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (database) => new PostgresIntrospector(database),
  };
}

class ReadCommittedDriver extends PostgresDriver {
  /**
   * Whatever default the database has: above "read committed" nobody sees what was stored while he waited
   * for a lock, and of two who write a row one fails.
   */
  override beginTransaction(
    connection: DatabaseConnection,
    { isolationLevel = "read committed", ...settings }: TransactionSettings,
  ): Promise<void> {
    return super.beginTransaction(connection, { ...settings, isolationLevel });
  }
}

/**
 * A socket that gives up when nothing is heard for `silentMs`: of a server that is gone without a word
 * the system itself tells only after a quarter of an hour. 0: it waits.
 */
function attentive(silentMs: number): Socket {
  const socket = new Socket();
  socket.setTimeout(silentMs, () =>
    socket.destroy(new Error(`PostgreSQL was silent for ${silentMs / 1000} s`)),
  );
  return socket;
}

/** Integers of 64 bits as numbers: the largest are ids of GitHub and times in ms, far below 2^53. */
function getTypeParser(oid: number, format?: "text" | "binary") {
  if (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC) return Number;
  return pg.types.getTypeParser(oid, format);
}
