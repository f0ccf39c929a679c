import { sql } from "kysely";
import type { DeliveryStore } from "../../core/ports.ts";
import type { Database } from "./schema.ts";

/** Parameters of one statement: far below what any database takes. */
const AT_ONCE = 500;

/** What an open database knows of deliveries that came, and of those that should have. */
export function deliveryStore({ tables, now }: Database): DeliveryStore {
  const ago = (ms: number) => sql<number>`${now} - ${ms}`;
  return {
    async came(guids) {
      const known = new Set<string>();
      for (const some of inParts(guids)) {
        const rows = await tables
          .selectFrom("deliveries")
          .select("guid")
          .where("guid", "in", some)
          .execute();
        for (const row of rows) known.add(row.guid);
      }
      return known;
    },

    async owe(deliveries) {
      if (deliveries.length === 0) return;
      await tables.transaction().execute(async (transaction) => {
        for (const { guid, id, event, deliveredAt } of deliveries) {
          await transaction
            .insertInto("owed_deliveries")
            .values({
              guid,
              delivery_id: id,
              event,
              delivered_at: deliveredAt,
              asks: 0,
              next_at: now,
            })
            .onConflict((conflict) => conflict.column("guid").doNothing())
            .execute();
        }
      });
    },

    async owed(most) {
      const rows = await tables
        .selectFrom("owed_deliveries")
        .selectAll()
        .where("next_at", "<=", now)
        // Somebody waits for those.
        .orderBy((eb) => eb.case().when("event", "=", "issue_comment").then(0).else(1).end())
        .orderBy("delivered_at")
        .orderBy("guid")
        .limit(most)
        .execute();
      return rows.map((row) => ({
        guid: row.guid,
        id: row.delivery_id,
        event: row.event,
        deliveredAt: row.delivered_at,
        asks: row.asks,
      }));
    },

    async ask(guid, { asks, againInMs }) {
      await tables.transaction().execute((transaction) =>
        transaction
          .updateTable("owed_deliveries")
          .set({ asks, next_at: sql<number>`${now} + ${Math.ceil(againInMs)}` })
          .where("guid", "=", guid)
          .execute(),
      );
    },

    async settleOwed(guids) {
      for (const some of inParts(guids)) {
        await tables
          .transaction()
          .execute((transaction) =>
            transaction
              .updateTable("owed_deliveries")
              .set({ next_at: null })
              .where("guid", "in", some)
              .where("next_at", "is not", null)
              .execute(),
          );
      }
    },

    async forget(ms) {
      await tables.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("deliveries").where("received_at", "<", ago(ms)).execute();
        await transaction
          .deleteFrom("owed_deliveries")
          .where("delivered_at", "<", ago(ms))
          .execute();
      });
    },
  };
}

function inParts(guids: string[]): string[][] {
  return Array.from({ length: Math.ceil(guids.length / AT_ONCE) }, (_, part) =>
    guids.slice(part * AT_ONCE, (part + 1) * AT_ONCE),
  );
}
