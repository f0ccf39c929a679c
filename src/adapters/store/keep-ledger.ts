import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/**
 * The ledger, and which pull requests were merged. Each sum of a cap is told by an index alone: the month of an
 * operator may have some 100,000 rows, and a call waits for it.
 */
export async function keepLedger({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable("calls")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("job_id", "text", (column) => column.notNull().references("jobs.id"))
    .addColumn("fence", "integer", (column) => column.notNull())
    .addColumn("command_id", "text", (column) => column.notNull())
    .addColumn("actor_id", "bigint", (column) => column.notNull())
    .addColumn("repo_id", "bigint", (column) => column.notNull())
    .addColumn("installation_id", "bigint", (column) => column.notNull())
    .addColumn("skill", "text")
    .addColumn("step", "integer", (column) => column.notNull())
    .addColumn("provider", "text", (column) => column.notNull())
    .addColumn("model", "text", (column) => column.notNull())
    .addColumn("rule", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("micro_dollars", "bigint", (column) => column.notNull())
    .addColumn("reserved", "bigint", (column) => column.notNull())
    .addColumn("max_output", "bigint", (column) => column.notNull())
    .addColumn("input_tokens", "bigint", (column) => column.notNull())
    .addColumn("cached_tokens", "bigint", (column) => column.notNull())
    .addColumn("output_tokens", "bigint", (column) => column.notNull())
    .addColumn("reasoning_tokens", "bigint")
    .addColumn("price", "text")
    .addColumn("reported", "integer", (column) => column.notNull())
    .addColumn("latency_ms", "bigint")
    .addColumn("request_id", "text")
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .execute();
  const indexes = {
    calls_of_job: ["job_id", "micro_dollars"],
    calls_of_command: ["command_id", "micro_dollars"],
    calls_of_person: ["actor_id", "at", "micro_dollars"],
    calls_of_repository: ["repo_id", "at", "micro_dollars"],
    calls_of_installation: ["installation_id", "at", "micro_dollars"],
    calls_by_time: ["at", "installation_id", "micro_dollars"],
  };
  for (const [name, columns] of Object.entries(indexes)) {
    await schema.createIndex(name).on("calls").columns(columns).execute();
  }
  await schema
    .createTable("merges")
    .addColumn("repo_id", "bigint", (column) => column.notNull())
    .addColumn("pull", "bigint", (column) => column.notNull())
    .addColumn("merged_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("merges_key", ["repo_id", "pull"])
    .execute();
  await schema
    .createIndex("jobs_of_repository_by_end")
    .on("jobs")
    .columns(["repo_id", "ended_at"])
    .execute();
}
