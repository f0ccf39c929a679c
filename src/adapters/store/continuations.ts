import type { Kysely } from "kysely";
import { isTerminal, type Job } from "../../core/job.ts";
import type { TakenUp } from "../../core/ports.ts";
import { jobsFrom } from "./calls-of-jobs.ts";
import { fromJson, type Tables } from "./schema.ts";

/** Jobs in one statement: SQLite and PostgreSQL take only so many values. */
const AT_ONCE = 500;

/** The migration that lets the jobs be found that went on with one, and says by which cap a job was stopped. */
export async function keepContinuations(transaction: Kysely<Tables>): Promise<void> {
  const { schema } = transaction;
  await schema.alterTable("jobs").addColumn("ending", "text").execute();
  await schema
    .createTable("continuations")
    .addColumn("before_id", "text", (column) => column.notNull())
    .addColumn("job_id", "text", (column) => column.notNull().references("jobs.id"))
    .addPrimaryKeyConstraint("continuations_key", ["before_id", "job_id"])
    .execute();
  await schema.createIndex("continuations_of_job").on("continuations").column("job_id").execute();
  for (let after = ""; ; ) {
    const rows = await transaction
      .selectFrom("jobs")
      .select(["id", "spec"])
      .where("id", ">", after)
      .orderBy("id")
      .limit(AT_ONCE)
      .execute();
    for (const { id, spec } of rows) {
      const { continues } = fromJson<Pick<Job, "continues">>(spec, `job ${id}, spec`);
      await rememberContinued(transaction, { id, ...(continues && { continues }) });
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

/** Stores which jobs a new one goes on with. */
export async function rememberContinued(
  transaction: Kysely<Tables>,
  { id, continues }: Pick<Job, "id" | "continues">,
): Promise<void> {
  for (const before_id of new Set(continues?.jobs)) {
    await transaction.insertInto("continuations").values({ before_id, job_id: id }).execute();
  }
}

/**
 * Whether what a new job is to go on with still stands as it was judged: it has ended, and no other job than
 * those that were known then goes on with it.
 */
export async function standsAsJudged(
  transaction: Kysely<Tables>,
  { job, known }: TakenUp,
): Promise<boolean> {
  const row = await transaction
    .selectFrom("jobs")
    .select("state")
    .where("id", "=", job)
    .executeTakeFirst();
  if (row && !isTerminal(row.state)) return false;
  const after = await transaction
    .selectFrom("continuations")
    .select("job_id")
    .where("before_id", "=", job)
    .execute();
  return after.every(({ job_id }) => known.includes(job_id));
}

/** The jobs that went on with these, or added to the pull requests that they opened, oldest first. */
export async function laterThan(reader: Kysely<Tables>, jobs: Job[]): Promise<Job[]> {
  const [first] = jobs;
  if (!first) return [];
  const ids = jobs.map(({ id }) => id);
  const pulls = jobs.flatMap(({ target, publication }) =>
    target.kind === "new_pull" && publication ? [publication.pull] : [],
  );
  const rows = await reader
    .selectFrom("jobs")
    .selectAll()
    .where(({ or, and, eb, selectFrom }) =>
      or([
        eb("id", "in", selectFrom("continuations").select("job_id").where("before_id", "in", ids)),
        ...(pulls.length === 0
          ? []
          : [
              and([
                eb("repo_id", "=", first.repo.id),
                eb("pull", "in", pulls),
                eb("target_kind", "=", "follow_up"),
              ]),
            ]),
      ]),
    )
    .orderBy("created_at")
    .orderBy("number")
    .orderBy("id")
    .execute();
  return jobsFrom(reader, rows);
}

/** The jobs that went on with one of these, oldest first. */
export async function wentOnWith(reader: Kysely<Tables>, ids: string[]): Promise<Job[]> {
  if (ids.length === 0) return [];
  const rows = await reader
    .selectFrom("jobs")
    .selectAll()
    .where("id", "in", (eb) =>
      eb.selectFrom("continuations").select("job_id").where("before_id", "in", ids),
    )
    .orderBy("created_at")
    .orderBy("number")
    .orderBy("id")
    .execute();
  return jobsFrom(reader, rows);
}

/** Commands, apart from their own, whose jobs these go on with. */
export async function commandsBefore(reader: Kysely<Tables>, jobs: Job[]): Promise<string[]> {
  const ids = jobs.flatMap(({ continues }) => continues?.jobs ?? []);
  if (ids.length === 0) return [];
  const rows = await reader
    .selectFrom("jobs")
    .select("command_id")
    .distinct()
    .where("id", "in", ids)
    .orderBy("command_id")
    .execute();
  const own = jobs.map(({ commandId }) => commandId);
  return rows.map(({ command_id }) => command_id).filter((id) => !own.includes(id));
}
