import { sql } from "kysely";
import { toError, UserError } from "../../core/errors.ts";
import type {
  AllowanceStore,
  CommandStore,
  IntakeStore,
  JobStore,
  OutboxStore,
} from "../../core/ports.ts";
import { allowanceStore } from "./allowances.ts";
import { commandStore } from "./commands.ts";
import { intakeStore } from "./intake.ts";
import { jobStore } from "./jobs.ts";
import { migrate } from "./migrations.ts";
import { outboxStore } from "./outbox.ts";
import { openSqlite } from "./sqlite.ts";

/** Everything that outlives the process. */
export type Store = IntakeStore &
  CommandStore &
  JobStore &
  AllowanceStore &
  OutboxStore & {
    /** Resolves when the database answers. */
    ready(): Promise<void>;
    close(): Promise<void>;
  };

/**
 * Opens the SQLite database `file`, creating it or bringing its schema up to date.
 * A file that cannot be used is a UserError.
 */
export async function openStore(options: { file: string }): Promise<Store> {
  const database = await openSqlite(options.file).catch(refuse);
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
    ...allowanceStore(database),
    ...outboxStore(database),
    async ready() {
      await sql`select 1`.execute(tables);
    },
    close: () => tables.destroy(),
  };

  function refuse(thrown: unknown): never {
    const error = toError(thrown);
    throw new UserError(`cannot use the database ${options.file}: ${error.message}`, {
      cause: error,
    });
  }
}
