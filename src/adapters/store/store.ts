import { sql } from "kysely";
import { toError, UserError } from "../../core/errors.ts";
import type { FiguresStore } from "../../core/figures.ts";
import type { LedgerStore } from "../../core/ledger.ts";
import type {
  AllowanceStore,
  ClaimStore,
  CommandStore,
  DeliveryStore,
  IntakeStore,
  JobStore,
  LeftoverStore,
  Log,
  OutboxStore,
  QueueStore,
  RenameStore,
  SharedStore,
  SnapshotStore,
  StopStore,
} from "../../core/ports.ts";
import { openingTrouble } from "../../core/store-trouble.ts";
import { allowanceStore } from "./allowances.ts";
import { checkSqlite } from "./check-sqlite.ts";
import { claimStore } from "./claim.ts";
import { commandStore } from "./commands.ts";
import { deliveryStore } from "./deliveries.ts";
import { figuresStore } from "./figures.ts";
import { intakeStore } from "./intake.ts";
import { jobStore } from "./jobs.ts";
import { ledgerStore } from "./ledger.ts";
import { leftoverStore } from "./leftovers.ts";
import { migrate } from "./migrations.ts";
import { outboxStore } from "./outbox.ts";
import { openPostgres } from "./postgres.ts";
import { queueStore } from "./queued.ts";
import { renameStore } from "./renames.ts";
import type { Announce, Database } from "./schema.ts";
import { sharedStore } from "./shared.ts";
import { snapshotStore } from "./snapshots.ts";
import { openSqlite } from "./sqlite.ts";
import { stopStore } from "./stops.ts";
import { toldTrouble } from "./trouble.ts";

/** Everything that outlives the process. */
export type Store = IntakeStore &
  CommandStore &
  JobStore &
  ClaimStore &
  DeliveryStore &
  QueueStore &
  StopStore &
  SnapshotStore &
  RenameStore &
  SharedStore &
  AllowanceStore &
  LeftoverStore &
  LedgerStore &
  FiguresStore &
  OutboxStore & {
    /** Resolves when the database takes what is written. */
    ready(): Promise<void>;
    close(): Promise<void>;
  };

/** A SQLite file, or the URL of a PostgreSQL database. */
export type StorePlace = { file: string } | { url: string; log: Log };

/**
 * Opens a database, creating a file or bringing the schema up to date.
 * One that cannot be used is a UserError.
 */
export async function openStore(place: StorePlace, announce?: Announce): Promise<Store> {
  await bringUpToDate(place).catch(refuse);
  const database = await open(place, announce ?? (() => Promise.resolve())).catch(refuse);
  const { tables } = database;
  // Kysely closes only what was used.
  await sql`select 1`.execute(tables).catch(refuse);
  return toldTrouble({
    ...intakeStore(database),
    ...commandStore(database),
    ...jobStore(database),
    ...claimStore(database),
    ...deliveryStore(database),
    ...queueStore(database),
    ...stopStore(database),
    ...snapshotStore(database),
    ...renameStore(database),
    ...sharedStore(database),
    ...allowanceStore(database),
    ...outboxStore(database),
    ...ledgerStore(database),
    ...figuresStore(database),
    ...leftoverStore(database),
    async ready() {
      const written = sql`insert into cursors (name, value) values ('ready', ${String(Date.now())})`;
      await tables.transaction().execute(async (transaction) => {
        await sql`${written} on conflict (name) do update set value = excluded.value`.execute(
          transaction,
        );
      });
    },
    close: () => tables.destroy(),
  });

  function refuse(thrown: unknown): never {
    const error = toError(thrown);
    const name = "file" in place ? place.file : withoutPassword(place.url);
    const remedy = openingTrouble(error)?.remedy;
    const said = remedy === undefined ? error.message : `${error.message}; ${remedy}`;
    throw new UserError(`cannot use the database ${name}: ${said}`, { cause: error });
  }
}

async function bringUpToDate(place: StorePlace): Promise<void> {
  if ("file" in place) checkSqlite(place.file);
  const database = await openPatiently(place);
  try {
    await insistOnUnicode(database);
    await migrate(database);
  } finally {
    await database.tables.destroy();
  }
}

/** In another encoding it would open, and then refuse nearly every command for a character in it. */
async function insistOnUnicode({ engine, tables }: Database): Promise<void> {
  if (engine === "sqlite") return;
  const asked = sql<{ name: string }>`select current_setting('server_encoding') as name`;
  const { name } = (await asked.execute(tables)).rows[0] ?? {};
  // SQL_ASCII keeps bytes as they come.
  if (name === "UTF8" || name === "SQL_ASCII") return;
  throw new UserError(
    `its encoding is ${name}; name one that is in UTF8 (createdb -E UTF8 -T template0)`,
  );
}

/** For what goes through all rows. */
export async function openPatiently(place: StorePlace): Promise<Database> {
  const database =
    "file" in place
      ? await openSqlite(place.file)
      : openPostgres(place.url, place.log, { patient: true });
  return { ...database, announce: () => Promise.resolve() };
}

async function open(place: StorePlace, announce: Announce): Promise<Database> {
  const database =
    "file" in place ? await openSqlite(place.file) : openPostgres(place.url, place.log);
  return { ...database, announce };
}

function withoutPassword(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.protocol}//${parsed.host}${parsed.pathname}` : "of DATABASE_URL";
}
