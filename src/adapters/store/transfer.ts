import { type Kysely, sql } from "kysely";
import { toError, UserError } from "../../core/errors.ts";
import { migrate, NEWEST_SCHEMA } from "./migrations.ts";
import type { Database, Tables } from "./schema.ts";
import { openPatiently, type StorePlace } from "./store.ts";
import { describeTables, rowsOf, type TableShape, type Value } from "./table-rows.ts";
import {
  checkTransfer,
  counter,
  lineOf,
  type Tally,
  transferredRows,
  writeTransfer,
} from "./transfer-file.ts";

/** Rows that are stored by one statement. */
const BATCH_ROWS = 100;
/** The same in characters: a row may be some 10 MB. */
const BATCH_SIZE = 1 << 20;
/** For so long after its last sign a worker counts as alive. */
const SEEN_MS = 30_000;
/** What one of all processes holds as long as there is any: an idle one keeps no connection. */
const ANY_PROCESS = "places";

/**
 * Writes all rows of a database to a new file. Nothing is taken in or claimed meanwhile. One that a server
 * has, or that a newer version wrote, is a UserError.
 */
export async function exportStore(place: StorePlace, file: string): Promise<Record<string, Tally>> {
  return using(place, (database) =>
    database.tables
      .transaction()
      .setIsolationLevel(database.engine === "postgres" ? "repeatable read" : "serializable")
      .execute(async (transaction) => {
        await refuseWhileServed(transaction, database);
        const schema = await schemaOf(transaction);
        if (schema === 0) throw new UserError("it holds nothing of Draftsmith's");
        if (schema > NEWEST_SCHEMA) {
          throw new UserError(
            `it was written by a newer Draftsmith (schema ${schema}): export with that one`,
          );
        }
        const tables = await describeTables(transaction, database);
        return writeTransfer(file, schema, tables, (table) => rowsOf(transaction, database, table));
      }),
  );
}

/**
 * Stores all rows of an exported file in one transaction, then reads them back and compares the digests.
 * A file that is not whole, a database that a server has, or one that holds rows is a UserError; with
 * `replace` its rows go in the same transaction.
 */
export async function importStore(
  place: StorePlace,
  file: string,
  { replace }: { replace: boolean },
): Promise<Record<string, Tally>> {
  const { header, end } = await checkTransfer(file);
  if (header.schema > NEWEST_SCHEMA) {
    throw new UserError(
      `${file} was written by a newer Draftsmith (schema ${header.schema}; this one knows ${NEWEST_SCHEMA}): import it with that version`,
    );
  }
  return using(place, async (database) => {
    // The rows are as old as their schema: what came later works on them when they are there.
    await migrate(database, header.schema);
    await database.tables.transaction().execute(async (transaction) => {
      await refuseWhileServed(transaction, database);
      const schema = await schemaOf(transaction);
      if (schema !== header.schema) {
        throw new UserError(
          `it has schema ${schema} and ${file} has ${header.schema}: import into an empty database`,
        );
      }
      const tables = await describeTables(transaction, database);
      sameTables(tables, header.tables, file);
      await makeRoom(transaction, tables, replace);
      await fill(transaction, tables, file);
      for (const table of tables) {
        const found = await tallyOf(transaction, database, table);
        const wanted = end[table.name];
        if (found.rows !== wanted?.rows || found.sha256 !== wanted.sha256) {
          throw new Error(`the rows of ${table.name} came back different; nothing was imported`);
        }
      }
      await countOn(transaction, database, tables);
    });
    await migrate(database);
    return end;
  });
}

async function using<T>(place: StorePlace, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openPatiently(place);
  try {
    return await work(database);
  } finally {
    await database.tables.destroy();
  }
}

/** Throws UserError when a server uses the database; else none can begin to until the transaction ends. */
async function refuseWhileServed(transaction: Kysely<Tables>, database: Database): Promise<void> {
  if (database.engine === "sqlite") return;
  await database.alone(transaction, "schema");
  const others = await sql<{ who: string }>`
    select distinct application_name as who from pg_stat_activity
    where datname = current_database() and application_name like 'draftsmith%' and pid <> pg_backend_pid()`.execute(
    transaction,
  );
  const live = (await hasTable(transaction, "workers"))
    ? await sql<{ id: string }>`
        select id from workers where seen_at > ${database.now} - ${sql.lit(SEEN_MS)}
        union all select id from jobs where lease_until > ${database.now}
        union all select name from leases where name = ${ANY_PROCESS} and until > ${database.now}`.execute(
        transaction,
      )
    : { rows: [] };
  if (others.rows.length === 0 && live.rows.length === 0) {
    for (const what of ["intake", "claim", "ledger"] as const) {
      if (await hasTable(transaction, "jobs")) await database.alone(transaction, what);
    }
    return;
  }
  throw new UserError(
    "a Draftsmith server uses it: stop all web and worker processes, wait a minute and do it again",
  );
}

async function hasTable(transaction: Kysely<Tables>, name: string): Promise<boolean> {
  const tables = await transaction.introspection.getTables();
  return tables.some((table) => table.name === name);
}

async function schemaOf(transaction: Kysely<Tables>): Promise<number> {
  if (!(await hasTable(transaction, "migrations"))) return 0;
  const { rows } = await sql<{
    last: number | null;
  }>`select max(number) as last from migrations`.execute(transaction);
  return rows[0]?.last ?? 0;
}

function sameTables(
  tables: TableShape[],
  told: { name: string; columns: string[] }[],
  file: string,
): void {
  const words = (each: { name: string; columns: string[] }) =>
    `${each.name}(${each.columns.join()})`;
  const ours = tables.map(words).toSorted().join("\n");
  if (ours !== told.map(words).toSorted().join("\n")) {
    throw new UserError(
      `${file} has other tables than this version; import it with the version that wrote it`,
    );
  }
}

async function makeRoom(
  transaction: Kysely<Tables>,
  tables: TableShape[],
  replace: boolean,
): Promise<void> {
  for (const { name } of tables.toReversed()) {
    if (replace) await sql`delete from ${sql.table(name)}`.execute(transaction);
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(transaction);
    if (rows.length > 0) {
      throw new UserError(
        `it has rows already (${name}): name an empty one, or add --replace to lose what it holds`,
      );
    }
  }
}

async function fill(
  transaction: Kysely<Tables>,
  tables: TableShape[],
  file: string,
): Promise<void> {
  const shapes = new Map(tables.map((shape) => [shape.name, shape]));
  let batch: Value[][] = [];
  let size = 0;
  let current = "";
  async function flush(): Promise<void> {
    const shape = shapes.get(current);
    if (shape && batch.length > 0) {
      const columns = sql.join(shape.columns.map((column) => sql.ref(column)));
      const rows = sql.join(batch.map((row) => sql`(${sql.join(row)})`));
      await sql`insert into ${sql.table(current)} (${columns}) values ${rows}`
        .execute(transaction)
        .catch((thrown) => {
          throw new UserError(
            `rows of ${current} cannot be stored there (${toError(thrown).message})`,
            {
              cause: thrown,
            },
          );
        });
    }
    batch = [];
    size = 0;
  }
  for await (const { table, values } of transferredRows(file)) {
    if (table !== current || batch.length >= BATCH_ROWS || size >= BATCH_SIZE) await flush();
    current = table;
    batch.push(values);
    for (const value of values) size += typeof value === "string" ? value.length : 8;
  }
  await flush();
}

async function tallyOf(
  transaction: Kysely<Tables>,
  database: Database,
  table: TableShape,
): Promise<Tally> {
  const counted = counter();
  for await (const values of rowsOf(transaction, database, table)) {
    counted.add(lineOf(table.name, values));
  }
  return counted.tally();
}

/** PostgreSQL's counters do not see rows that bring their number; SQLite's do. */
async function countOn(
  transaction: Kysely<Tables>,
  database: Database,
  tables: TableShape[],
): Promise<void> {
  if (database.engine === "sqlite") return;
  const counting = await sql<{ name: string; column: string }>`
    select table_name as name, column_name as "column" from information_schema.columns
    where table_schema = current_schema() and is_identity = 'YES'`.execute(transaction);
  for (const { name, column } of counting.rows) {
    if (!tables.some((table) => table.name === name)) continue;
    await sql`
      select setval(pg_get_serial_sequence(${name}, ${column}), greatest(max(${sql.ref(column)}), 1), max(${sql.ref(column)}) is not null)
      from ${sql.table(name)}`.execute(transaction);
  }
}
