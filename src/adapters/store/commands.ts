import type { Kysely } from "kysely";
import type { Command } from "../../core/job.ts";
import type { CommandStore, Delivery } from "../../core/ports.ts";
import { decodeJob, encodeJob } from "./job-row.ts";
import { putAct } from "./outbox.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** First acts have waited for nothing: due as soon as anyone asks. */
const AT_ONCE = 0;

/** The deliveries, commands and their jobs in an open database. */
export function commandStore(database: Database): CommandStore {
  const { tables, now } = database;

  /** Stores the delivery; false when it was there. */
  async function see(transaction: Kysely<Tables>, delivery: Delivery): Promise<boolean> {
    const stored = await transaction
      .insertInto("deliveries")
      .values({ ...delivery, received_at: now })
      .onConflict((conflict) => conflict.column("guid").doNothing())
      .returning("guid")
      .executeTakeFirst();
    return stored !== undefined;
  }

  return {
    accept({ delivery, command, jobs, acts }) {
      return tables.transaction().execute(async (transaction) => {
        if (!(await see(transaction, delivery))) return "duplicate";
        const stored = await transaction
          .insertInto("commands")
          .values({
            id: command.id,
            key: command.key,
            detail: JSON.stringify(command),
            created_at: now,
          })
          .onConflict((conflict) => conflict.column("key").doNothing())
          .returning("id")
          .executeTakeFirst();
        // The delivery stays stored: its next copy is known at the first look.
        if (!stored) return "duplicate";
        for (const job of jobs) {
          await transaction.insertInto("jobs").values(encodeJob(job)).execute();
        }
        for (const act of acts) await putAct(transaction, database, act, AT_ONCE);
        return "accepted";
      });
    },

    answer(delivery, acts) {
      return tables.transaction().execute(async (transaction) => {
        if (!(await see(transaction, delivery))) return false;
        for (const act of acts) await putAct(transaction, database, act, AT_ONCE);
        return true;
      });
    },

    async known(guid, commandKey) {
      const delivery = tables
        .selectFrom("deliveries")
        .select("guid as id")
        .where("guid", "=", guid);
      const command = tables.selectFrom("commands").select("id").where("key", "=", commandKey);
      return (await delivery.unionAll(command).execute()).length > 0;
    },

    async command(id) {
      const row = await tables
        .selectFrom("commands")
        .select("detail")
        .where("id", "=", id)
        .executeTakeFirst();
      return row ? fromJson<Command>(row.detail, `command ${id}`) : null;
    },

    async jobsOf(commandId) {
      const rows = await tables
        .selectFrom("jobs")
        .selectAll()
        .where("command_id", "=", commandId)
        .orderBy("number")
        .orderBy("id")
        .execute();
      return rows.map(decodeJob);
    },

    async jobOfPull(repoId, pull) {
      const row = await tables
        .selectFrom("jobs")
        .selectAll()
        .where("repo_id", "=", repoId)
        .where("pull", "=", pull)
        // A follow-up of the pull request has published to it too, but did not open it.
        .where("target_kind", "=", "new_pull")
        .orderBy("created_at")
        .executeTakeFirst();
      return row ? decodeJob(row) : null;
    },
  };
}
