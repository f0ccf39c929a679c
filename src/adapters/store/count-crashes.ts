import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** The migration that lets the store know which jobs a process took with it when it died. */
export async function countCrashes({ schema }: Kysely<Tables>): Promise<void> {
  for (const name of ["crashes", "crashes_alone", "company"]) {
    await schema
      .alterTable("jobs")
      .addColumn(name, "integer", (column) => column.notNull().defaultTo(0))
      .execute();
  }
}
