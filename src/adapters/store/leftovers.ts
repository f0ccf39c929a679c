import { type Kysely, sql } from "kysely";
import { type Act, jobLane, type OutboxRow, TEXT_ACTS } from "../../core/act.ts";
import { isTerminal, JOB_STATES } from "../../core/job.ts";
import type { KeyedAct, LeftoverStore } from "../../core/ports.ts";
import { BUCKETS } from "./paces.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

const ENDED = JOB_STATES.filter(isTerminal);
/** Names in one question. */
const AT_ONCE = 500;
/** Jobs whose rows go in one transaction: nobody waits long for it. */
const JOBS_AT_ONCE = 50;
/** A job that just ended takes its private ref away itself. */
const SETTLED_MS = 10 * 60_000;
/** Named, for rows are found by state and lane together. */
const EVERY_STATE: OutboxRow["state"][] = ["pending", "done", "dead"];
/** How far the ends of jobs were looked at; whoever looks next begins so much earlier, for clocks differ and acts take their time. */
const LOOKED = "left-refs";
const AGAIN_MS = 6 * 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** Texts that are edited again while their pull request lives; each is one row. */
const LASTING = ["board:%", "pull-body:%"];

/** What ended jobs left in the rows of an open database. Only its clock counts. */
export function leftoverStore({ tables, now }: Database): LeftoverStore {
  const ago = (ms: number) => sql<number>`${now} - ${Math.ceil(ms)}`;

  return {
    async over(ids, heldMs) {
      const over = [];
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const asked = ids.slice(at, at + AT_ONCE);
        const rows = await tables
          .selectFrom("jobs")
          .select(["id", "state"])
          .select(({ and, eb }) =>
            and([
              eb("state", "=", "blocked"),
              eb("change", "is not", null),
              eb("ended_at", ">=", ago(heldMs)),
            ]).as("held"),
          )
          .where("id", "in", asked)
          .execute();
        const known = new Map(rows.map((row) => [row.id, row]));
        for (const id of asked) {
          const row = known.get(id);
          if (row && !isTerminal(row.state)) continue;
          over.push({ id, held: Boolean(row?.held) });
        }
      }
      return over;
    },

    async leftRefs() {
      const { at, before } = await lookedUntil();
      const rows = await tables
        .selectFrom("jobs")
        .innerJoin("outbox as push", (join) => join.on("push.lane", "=", sql`'job:' || jobs.id`))
        .select(["push.id", "push.key", "push.lane", "push.act"])
        .where("push.state", "in", EVERY_STATE)
        .where("push.kind", "in", ["push", "keep"])
        .where("jobs.state", "in", ENDED)
        .where("jobs.ended_at", ">=", before - AGAIN_MS)
        .where("jobs.ended_at", "<", at - SETTLED_MS)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("outbox as gone")
                .select("gone.id")
                .where("gone.state", "in", EVERY_STATE)
                .whereRef("gone.lane", "=", "push.lane")
                .where("gone.kind", "=", "delete_ref")
                // Each of the refs that keep files has an act of its own.
                .where((eb) =>
                  eb.or([
                    eb("push.kind", "=", "push"),
                    eb("gone.key", "=", sql<string>`'delete-ref:' || push.key`),
                  ]),
                )
                .whereRef("gone.id", ">", "push.id"),
            ),
          ),
        )
        .limit(AT_ONCE)
        .execute();
      // What was found is found again until somebody asked for it.
      if (rows.length === 0) await lookedAt(at);
      return rows.flatMap((row): KeyedAct[] => {
        const act = fromJson<Act>(row.act, `outbox row ${row.id}, act`);
        if (act.kind !== "push" && act.kind !== "keep") return [];
        const { repo, ref } = act;
        const key = `delete-ref:${act.kind === "keep" ? row.key : `left:${row.id}`}`;
        return [{ key, lane: row.lane, act: { kind: "delete_ref", repo, ref } }];
      });
    },

    async revive(restMs, youngMs) {
      const { numUpdatedRows } = await tables
        .updateTable("outbox")
        // With its failures: refused again, it is given up at once.
        .set({ state: "pending", next_at: now, updated_at: now })
        .where("state", "=", "dead")
        .where("kind", "in", TEXT_ACTS)
        .where("updated_at", "<", ago(restMs))
        .where("created_at", ">", ago(youngMs))
        .executeTakeFirst();
      return Number(numUpdatedRows);
    },

    async prune(ms) {
      let removed = 0;
      for (;;) {
        const part = await tables
          .transaction()
          .execute((transaction) => pruneJobs(transaction, ms));
        removed += part;
        if (part === 0) break;
      }
      return tables.transaction().execute(async (transaction) => {
        await forgetLimits(transaction);
        const told = await transaction
          .deleteFrom("outbox")
          .where("state", "in", ["done", "dead"])
          .where("updated_at", "<", ago(ms))
          .where(({ and, eb }) => and(LASTING.map((keys) => eb("key", "not like", keys))))
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom("jobs")
                  .select("jobs.id")
                  .where("jobs.state", "not in", ENDED)
                  .where("jobs.id", "=", jobOf("outbox.lane")),
              ),
            ),
          )
          .executeTakeFirst();
        const heard = await transaction
          .deleteFrom("intakes")
          .where("at", "<", ago(ms))
          .executeTakeFirst();
        const came = await transaction
          .deleteFrom("deliveries")
          .where("received_at", "<", ago(ms))
          .executeTakeFirst();
        return [told, heard, came].reduce(
          (sum, { numDeletedRows }) => sum + Number(numDeletedRows),
          removed,
        );
      });
    },
  };

  /** Until when the ends of jobs were looked at for refs, and what time it is. */
  async function lookedUntil(): Promise<{ at: number; before: number }> {
    const { at, before } = await tables
      .selectNoFrom(({ selectFrom }) => [
        now.as("at"),
        selectFrom("cursors").select("value").where("name", "=", LOOKED).as("before"),
      ])
      .executeTakeFirstOrThrow();
    return { at, before: Math.min(Number(before ?? 0), at) };
  }

  async function lookedAt(at: number): Promise<void> {
    await tables
      .insertInto("cursors")
      .values({ name: LOOKED, value: `${at}` })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: `${at}` }))
      .execute();
  }

  /** Removes pauses that are over, and paces of installations that GitHub was not written to for a day. */
  async function forgetLimits(transaction: Kysely<Tables>): Promise<void> {
    await transaction.deleteFrom("pauses").where("until", "<", now).execute();
    await transaction
      .deleteFrom("paces")
      .where((eb) => eb.and(BUCKETS.map((name) => eb(name, "<", ago(DAY_MS)))))
      .execute();
  }

  /** Removes what jobs that ended long ago went through and kept; how many rows. */
  async function pruneJobs(transaction: Kysely<Tables>, ms: number): Promise<number> {
    let removed = 0;
    for (const table of ["events", "snapshots"] as const) {
      const jobs = await transaction
        .selectFrom(table)
        .innerJoin("jobs", "jobs.id", `${table}.job_id`)
        .select("jobs.id")
        .distinct()
        .where("jobs.state", "in", ENDED)
        .where("jobs.ended_at", "<", ago(ms))
        .limit(JOBS_AT_ONCE)
        .execute();
      if (jobs.length === 0) continue;
      const { numDeletedRows } = await transaction
        .deleteFrom(table)
        .where(
          "job_id",
          "in",
          jobs.map(({ id }) => id),
        )
        .executeTakeFirst();
      removed += Number(numDeletedRows);
    }
    return removed;
  }
}

/** The id in the lane of a job: by it the one row is found, by its lane all would be looked through. */
function jobOf(lane: string) {
  return sql<string>`substr(${sql.ref(lane)}, ${sql.lit(jobLane("").length + 1)})`;
}
