import { type Kysely, type Selectable, type SqlBool, sql } from "kysely";
import type { Job } from "../../core/job.ts";
import type { Spent } from "../../core/ledger.ts";
import { decodeJob } from "./job-row.ts";
import type { Tables } from "./schema.ts";

/** Jobs in one question. */
const AT_ONCE = 500;

/**
 * What the calls of jobs come to, by job; one that made none is not in it. With `shown` without what is reserved for
 * calls under way: they will cost less. What a lost attempt had reserved is counted either way.
 */
export async function spentBy(
  reader: Kysely<Tables>,
  jobIds: string[],
  { shown = false } = {},
): Promise<Map<string, Spent>> {
  const underWay = sql<SqlBool>`calls.state = 'reserved' and jobs.lease_owner is not null and calls.fence = jobs.fence`;
  const spent = new Map<string, Spent>();
  for (let at = 0; at < jobIds.length; at += AT_ONCE) {
    const rows = await reader
      .selectFrom("calls")
      .innerJoin("jobs", "jobs.id", "calls.job_id")
      .$if(shown, (query) => query.where(sql<SqlBool>`not (${underWay})`))
      .select(({ fn }) => [
        "job_id",
        "calls.model",
        sql<number>`sum(case when calls.state = 'answered' then 1 else 0 end)`.as("answered"),
        // What the provider refused, or was not reached with, was none.
        sql<number>`sum(case when calls.state = 'void' then 0 else 1 end)`.as("calls"),
        fn.sum<number>("input_tokens").as("inputTokens"),
        fn.sum<number>("cached_tokens").as("cachedTokens"),
        fn.sum<number>("output_tokens").as("outputTokens"),
        fn.sum<number>(fn.coalesce("reasoning_tokens", sql<number>`0`)).as("reasoningTokens"),
        fn.sum<number>("micro_dollars").as("microDollars"),
        sql<number>`max(case when price is null and calls.state <> 'void' then 1 else 0 end)`.as(
          "unpriced",
        ),
      ])
      .where("job_id", "in", jobIds.slice(at, at + AT_ONCE))
      .groupBy(["job_id", "calls.model"])
      // Ids of calls are in the order of time.
      .orderBy(({ fn }) => fn.min("calls.id"))
      .execute();
    for (const { job_id, unpriced, model, answered, ...sums } of rows) {
      const models = answered > 0 ? [model] : [];
      const more = { ...sums, unpriced: unpriced === 1, models };
      const before = spent.get(job_id);
      spent.set(job_id, before ? added(before, more) : more);
    }
  }
  return spent;
}

function added(a: Spent, b: Spent): Spent {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    microDollars: a.microDollars + b.microDollars,
    unpriced: a.unpriced || b.unpriced,
    models: [...a.models, ...b.models],
  };
}

/** Rows as the jobs they hold, with what the ledger says of them now. */
export async function jobsFrom(
  reader: Kysely<Tables>,
  rows: Selectable<Tables["jobs"]>[],
): Promise<Job[]> {
  const spent = await spentBy(
    reader,
    rows.filter((row) => row.fence > 0).map((row) => row.id),
    { shown: true },
  );
  return rows.map((row) => decodeJob(row, spent.get(row.id)));
}
