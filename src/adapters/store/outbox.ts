import { isDeepStrictEqual } from "node:util";
import type { Kysely, Selectable } from "kysely";
import type { Act, OutboxRow } from "../../core/act.ts";
import type { KeyedAct, OutboxStore } from "../../core/ports.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** The outbox rows of an open database. */
export function outboxStore(database: Database): OutboxStore {
  const { tables, now } = database;
  return {
    put(keyed, notBefore) {
      return tables
        .transaction()
        .execute((transaction) => putAct(transaction, database, keyed, notBefore));
    },

    async get(key) {
      const row = await tables
        .selectFrom("outbox")
        .selectAll()
        .where("key", "=", key)
        .executeTakeFirst();
      return row ? decode(row) : null;
    },

    async due(time) {
      const rows = await laneHeads(tables)
        .selectAll("row")
        .where("row.next_at", "<=", time)
        .orderBy("row.id")
        .execute();
      return rows.map(decode);
    },

    async nextDue() {
      const { next } = await laneHeads(tables)
        .select((eb) => eb.fn.min("row.next_at").as("next"))
        .executeTakeFirstOrThrow();
      return next;
    },

    async done(id, version, result, notBefore) {
      return tables.transaction().execute(async (transaction) => {
        const current = await transaction
          .updateTable("outbox")
          .set({ result: JSON.stringify(result ?? null), updated_at: now })
          .where("id", "=", id)
          .returning("version")
          .executeTakeFirst();
        const row = transaction.updateTable("outbox").where("id", "=", id);
        if (current?.version === version) {
          await row.set({ state: "done", last_error: null }).execute();
          return true;
        }
        await row
          .set({ next_at: whole(notBefore) })
          .where("next_at", "<", notBefore)
          .execute();
        return false;
      });
    },

    async retry(id, at, error) {
      await tables.transaction().execute((transaction) =>
        transaction
          .updateTable("outbox")
          .set((eb) => ({
            attempts: eb("attempts", "+", 1),
            next_at: whole(at),
            last_error: error,
            updated_at: now,
          }))
          .where("id", "=", id)
          .where("state", "=", "pending")
          .execute(),
      );
    },

    async dead(id, version, reason) {
      await tables
        .transaction()
        .execute((transaction) =>
          transaction
            .updateTable("outbox")
            .set({ state: "dead", last_error: reason, updated_at: now })
            .where("id", "=", id)
            .where("version", "=", version)
            .where("state", "=", "pending")
            .execute(),
        );
    },
  };
}

/** Stores an act within a transaction, as OutboxStore.put says; `notBefore` in ms since the epoch. */
export async function putAct(
  transaction: Kysely<Tables>,
  { now }: Database,
  { key, lane, act }: KeyedAct,
  notBefore: number,
): Promise<OutboxRow> {
  const text = JSON.stringify(act);
  // A known row is written as it stands: that returns it and keeps others off it meanwhile.
  const row = await transaction
    .insertInto("outbox")
    .values({
      key,
      lane,
      kind: act.kind,
      act: text,
      version: 1,
      attempts: 0,
      state: "pending",
      next_at: whole(notBefore),
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet((eb) => ({ key: eb.ref("excluded.key") })),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  const stored = decode(row);
  if (isDeepStrictEqual(stored.act, fromJson<Act>(text, "the act"))) return stored;
  // Another body does not make GitHub well again: what failed waits out its time.
  const failed = row.state === "pending" && row.attempts > 0;
  const replaced = await transaction
    .updateTable("outbox")
    .set({
      lane,
      kind: act.kind,
      act: text,
      version: row.version + 1,
      attempts: failed ? row.attempts : 0,
      state: "pending",
      next_at: failed ? Math.max(row.next_at, whole(notBefore)) : whole(notBefore),
      last_error: failed ? row.last_error : null,
      updated_at: now,
    })
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return decode(replaced);
}

/** The earliest pending row of each lane: the only one that may be performed. */
function laneHeads(tables: Kysely<Tables>) {
  return tables
    .selectFrom("outbox as row")
    .where("row.state", "=", "pending")
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("outbox as earlier")
            .select("earlier.id")
            .where("earlier.state", "=", "pending")
            .whereRef("earlier.lane", "=", "row.lane")
            .whereRef("earlier.id", "<", "row.id"),
        ),
      ),
    );
}

function decode(row: Selectable<Tables["outbox"]>): OutboxRow {
  const where = `outbox row ${row.id}`;
  const value = row.result === null ? null : fromJson<unknown>(row.result, `${where}, result`);
  return {
    id: row.id,
    key: row.key,
    lane: row.lane,
    act: fromJson<Act>(row.act, `${where}, act`),
    version: row.version,
    attempts: row.attempts,
    state: row.state,
    result: row.state === "dead" ? row.last_error : value,
  };
}

/** Waits are computed with fractions; a time is stored in whole ms and never earlier than asked. */
function whole(time: number): number {
  return Math.ceil(time);
}
