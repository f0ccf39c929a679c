import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** The migration that lets a job keep which threads of a review it has to answer. */
export async function keepThreads({ schema }: Kysely<Tables>): Promise<void> {
  await schema.alterTable("jobs").addColumn("threads", "text").execute();
}
