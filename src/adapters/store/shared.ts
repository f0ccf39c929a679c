import { type Kysely, sql } from "kysely";
import type { SharedStore } from "../../core/ports.ts";
import { slowDown } from "./paces.ts";
import type { Database, Tables } from "./schema.ts";

/** What the processes on one database agree on besides jobs. */
export function sharedStore(database: Database): SharedStore {
  const { tables, now } = database;
  const writing = <T>(work: (transaction: Kysely<Tables>) => Promise<T>) =>
    tables.transaction().execute(work);
  return {
    hold: (name, owner, ms) =>
      writing((transaction) => holdIn(transaction, database, { name, owner, ms })),

    async letGo(name, owner) {
      await writing((transaction) =>
        transaction
          .deleteFrom("leases")
          .where("name", "=", name)
          .where("owner", "=", owner)
          .execute(),
      );
    },

    async cursor(name) {
      const row = await tables
        .selectFrom("cursors")
        .select("value")
        .where("name", "=", name)
        .executeTakeFirst();
      return row?.value ?? null;
    },

    async setCursor(name, value) {
      await writing((transaction) =>
        transaction
          .insertInto("cursors")
          .values({ name, value })
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
          .execute(),
      );
    },

    async pausedFor(installationId) {
      const row = await tables
        .selectFrom("pauses")
        .select(["why", sql<number>`until - ${now}`.as("ms")])
        .where("installation_id", "=", installationId)
        .where("until", ">", now)
        .executeTakeFirst();
      return row ?? null;
    },

    async pause(installationId, ms, why) {
      const until = sql<number>`${now} + ${Math.ceil(ms)}`;
      await writing((transaction) =>
        transaction
          .insertInto("pauses")
          .values({ installation_id: installationId, until, why })
          .onConflict((conflict) =>
            conflict
              .column("installation_id")
              .doUpdateSet((eb) => ({
                until: eb.ref("excluded.until"),
                why: eb.ref("excluded.why"),
              }))
              .whereRef("pauses.until", "<", "excluded.until"),
          )
          .execute(),
      );
    },

    slow: (installationId, ms) =>
      writing((transaction) => slowDown(transaction, database, installationId, ms)),

    async seen({ id, slots, busy, mirrors }) {
      const state = { slots, busy, seen_at: now };
      await writing(async (transaction) => {
        await transaction
          .insertInto("workers")
          .values({ id, ...state })
          .onConflict((conflict) => conflict.column("id").doUpdateSet(state))
          .execute();
        await transaction
          .deleteFrom("mirrors")
          .where("worker", "=", id)
          .$if(mirrors.length > 0, (query) => query.where("repo_id", "not in", mirrors))
          .execute();
        for (const repo_id of mirrors) {
          await transaction
            .insertInto("mirrors")
            .values({ worker: id, repo_id })
            .onConflict((conflict) => conflict.columns(["worker", "repo_id"]).doNothing())
            .execute();
        }
      });
    },
  };
}

/** Takes or prolongs a lease in a transaction; false while it is another's. */
export async function holdIn(
  transaction: Kysely<Tables>,
  { now }: Pick<Database, "now">,
  { name, owner, ms }: { name: string; owner: string; ms: number },
): Promise<boolean> {
  const until = sql<number>`${now} + ${ms}`;
  const held = await transaction
    .insertInto("leases")
    .values({ name, owner, until })
    .onConflict((conflict) =>
      conflict
        .column("name")
        .doUpdateSet({ owner, until })
        .where((eb) => eb.or([eb("leases.owner", "=", owner), eb("leases.until", "<=", now)])),
    )
    .returning("name")
    .executeTakeFirst();
  return held !== undefined;
}
