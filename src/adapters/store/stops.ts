import type { Kysely } from "kysely";
import { isTerminal, JOB_STATES } from "../../core/job.ts";
import type { StopStore } from "../../core/ports.ts";
import { type StopBy, stopReason } from "../../core/stopped.ts";
import { jobsFrom } from "./calls-of-jobs.ts";
import { appendEvents } from "./jobs.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

const UNFINISHED = JOB_STATES.filter((state) => !isTerminal(state));

/** What people stopped in an open database. */
export function stopStore(database: Database): StopStore {
  const { tables } = database;
  return {
    stop: (ids, by) =>
      tables.transaction().execute((transaction) => stopIn(transaction, database, ids, by)),

    async jobsAt(repoId, issue, since) {
      const rows = await tables
        .selectFrom("jobs")
        .selectAll()
        .where("repo_id", "=", repoId)
        .where(({ or, and, eb }) =>
          or([
            eb("state", "in", UNFINISHED),
            and([eb("state", "=", "cancelled"), eb("ended_at", ">=", Math.ceil(since))]),
          ]),
        )
        .orderBy("created_at")
        .orderBy("number")
        .orderBy("id")
        .execute();
      return (await jobsFrom(tables, rows)).filter(
        ({ issue: asked, target, publication }) =>
          asked === issue ||
          publication?.pull === issue ||
          (target.kind === "follow_up" && target.pull === issue),
      );
    },

    async toStop(owner) {
      const rows = await tables
        .selectFrom("jobs")
        .select(["id", "stop"])
        .where("lease_owner", "=", owner)
        .where("stop", "is not", null)
        .where("state", "in", UNFINISHED)
        .execute();
      return rows.map(({ id, stop }) => ({
        id,
        by: fromJson<StopBy>(stop ?? "", `job ${id}, stop`),
      }));
    },
  };
}

/** Cancels jobs that never began and marks the others; which, by what became of them. */
export async function stopIn(
  transaction: Kysely<Tables>,
  database: Database,
  ids: string[],
  by: StopBy,
): Promise<{ cancelled: string[]; stopping: string[] }> {
  const { now } = database;
  const reason = stopReason(by);
  const cancelled: string[] = [];
  const stopping: string[] = [];
  for (const id of ids) {
    const never = await transaction
      .updateTable("jobs")
      .set({
        state: "cancelled",
        stop: JSON.stringify(by),
        reason,
        last_action: "",
        ended_at: now,
      })
      .where("id", "=", id)
      // One that began left things behind: whoever claims it clears them away.
      .where("state", "=", "queued")
      .where("started_at", "is", null)
      .where("lease_owner", "is", null)
      .returning("fence")
      .executeTakeFirst();
    if (never) {
      cancelled.push(id);
      await appendEvents(transaction, database, id, never.fence, [
        { type: "state", from: "queued", to: "cancelled", reason },
      ]);
      continue;
    }
    const marked = await transaction
      .updateTable("jobs")
      .set((eb) => ({
        stop: eb.fn.coalesce("stop", eb.val(JSON.stringify(by))),
        run_at: eb.case().when("run_at", ">", now).then(now).else(eb.ref("run_at")).end(),
      }))
      .where("id", "=", id)
      .where("state", "in", UNFINISHED)
      .returning("id")
      .executeTakeFirst();
    if (marked) stopping.push(id);
  }
  return { cancelled, stopping };
}
