import { sql } from "kysely";
import { toError, UserError } from "../../core/errors.ts";
import type {
  AllowanceStore,
  ClaimStore,
  CommandStore,
  IntakeStore,
  JobStore,
  Log,
  OutboxStore,
  SharedStore,
  StopStore,
} from "../../core/ports.ts";
import { allowanceStore } from "./allowances.ts";
import { claimStore } from "./claim.ts";
import { commandStore } from "./commands.ts";
import { intakeStore } from "./intake.ts";
import { jobStore } from "./jobs.ts";
import { migrate } from "./migrations.ts";
import { outboxStore } from "./outbox.ts";
import { openPostgres } from "./postgres.ts";
import type { Announce, Database } from "./schema.ts";
import { sharedStore } from "./shared.ts";
import { openSqlite } from "./sqlite.ts";
import { stopStore } from "./stops.ts";

/** Everything that outlives the process. */
export type Store = IntakeStore &
  CommandStore &
  JobStore &
  ClaimStore &
  StopStore &
  SharedStore &
  AllowanceStore &
  OutboxStore & {
    /** Resolves when the database answers. */
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
  const database = await open(place, announce ?? (() => Promise.resolve())).catch(refuse);
  const { tables } = database;
  try {
    await migrate(database);
  } catch (thrown) {
    await tables.destroy();
    return refuse(thrown);
  }
  return {
    ...intakeStore(database),
    ...commandStore(database),
    ...jobStore(database),
    ...claimStore(database),
    ...stopStore(database),
    ...sharedStore(database),
    ...allowanceStore(database),
    ...outboxStore(database),
    async ready() {
      await sql`select 1`.execute(tables);
    },
    close: () => tables.destroy(),
  };

  function refuse(thrown: unknown): never {
    const error = toError(thrown);
    const name = "file" in place ? place.file : withoutPassword(place.url);
    throw new UserError(`cannot use the database ${name}: ${error.message}`, { cause: error });
  }
}

async function open(place: StorePlace, announce: Announce): Promise<Database> {
  const database =
    "file" in place ? await openSqlite(place.file) : openPostgres(place.url, place.log);
  return { ...database, announce };
}

function withoutPassword(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
