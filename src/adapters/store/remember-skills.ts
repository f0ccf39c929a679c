import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** The migration that lets a job remember which skills it took up, and from which commits it may take more. */
export async function rememberSkills({ schema }: Kysely<Tables>): Promise<void> {
  await schema.alterTable("jobs").addColumn("skills", "text").execute();
}
