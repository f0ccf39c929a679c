import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** The migration that makes room for what GitHub is to be asked for again, and for what boards of waiting jobs tell. */
export async function oweDeliveries({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable("owed_deliveries")
    .addColumn("guid", "text", (column) => column.primaryKey())
    .addColumn("delivery_id", "text", (column) => column.notNull())
    .addColumn("event", "text", (column) => column.notNull())
    .addColumn("delivered_at", "bigint", (column) => column.notNull())
    .addColumn("asks", "integer", (column) => column.notNull())
    .addColumn("next_at", "bigint")
    .execute();
  await schema
    .createIndex("owed_deliveries_by_time")
    .on("owed_deliveries")
    .column("next_at")
    .execute();
  await schema.createIndex("deliveries_by_time").on("deliveries").column("received_at").execute();
  await schema.alterTable("jobs").addColumn("ahead", "integer").execute();
  await schema
    .createIndex("jobs_of_installation")
    .on("jobs")
    .columns(["installation_id", "state"])
    .execute();
}
