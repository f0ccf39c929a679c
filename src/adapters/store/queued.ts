import type { QueueStore } from "../../core/ports.ts";
import type { Database } from "./schema.ts";

/** The jobs of an open database that wait, as their boards tell them. */
export function queueStore({ tables, now }: Database): QueueStore {
  return {
    async queued() {
      const rows = await tables
        .selectFrom("jobs")
        .select(["id", "command_id", "repo_id", "installation_id", "priority"])
        .select(["created_at", "number", "ahead"])
        .where("state", "=", "queued")
        .where((eb) => eb.or([eb("lease_until", "is", null), eb("lease_until", "<=", now)]))
        .execute();
      return rows.map((row) => ({
        id: row.id,
        commandId: row.command_id,
        repoId: row.repo_id,
        installationId: row.installation_id,
        priority: row.priority,
        createdAt: row.created_at,
        number: row.number,
        ahead: row.ahead,
      }));
    },

    async served() {
      const rows = await tables.selectFrom("repositories").selectAll().execute();
      return rows.map((row) => ({
        repoId: row.repo_id,
        installationId: row.installation_id,
        servedAt: row.served_at,
      }));
    },

    async endedSince(at) {
      const rows = await tables
        .selectFrom("jobs")
        .select("command_id")
        .where("ended_at", ">=", at)
        .execute();
      // Not by the database: for that SQLite goes through all jobs in the order of their commands.
      return [...new Set(rows.map((row) => row.command_id))];
    },

    async place(id, ahead) {
      await tables.transaction().execute((transaction) =>
        transaction
          .updateTable("jobs")
          .set({ ahead })
          .where("id", "=", id)
          .where("state", "=", "queued")
          .where((eb) => eb.or([eb("lease_until", "is", null), eb("lease_until", "<=", now)]))
          .execute(),
      );
    },
  };
}
