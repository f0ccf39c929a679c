import type { Kysely } from "kysely";
import { ASKED_ACTS, jobLane } from "../../core/act.ts";
import { finishesStep, GETS_ON, type JobEvent } from "../../core/event.ts";
import { isTerminal, JOB_STATES, mayMove } from "../../core/job.ts";
import type { JobStore } from "../../core/ports.ts";
import { jobsFrom } from "./calls-of-jobs.ts";
import { encodePatch } from "./job-row.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";
import { dropFiles, keepFiles } from "./snapshots.ts";

const UNFINISHED = JOB_STATES.filter((state) => !isTerminal(state));

/**
 * The jobs of an open database. Each write is one UPDATE whose WHERE holds the conditions, so that
 * the database picks the one winner among all processes.
 */
export function jobStore(database: Database): JobStore {
  const { tables, now } = database;

  return {
    async job(id) {
      const row = await tables
        .selectFrom("jobs")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return (await jobsFrom(tables, row ? [row] : []))[0] ?? null;
    },

    async unfinished() {
      const rows = await tables
        .selectFrom("jobs")
        .select("id")
        .where("state", "in", UNFINISHED)
        .orderBy("created_at")
        .orderBy("number")
        .orderBy("id")
        .execute();
      return rows.map((row) => row.id);
    },

    write(id, fence, patch, events = [], kept) {
      const { state } = patch;
      const from = JOB_STATES.filter((old) => state === undefined || mayMove(old, state));
      const ended = state !== undefined && isTerminal(state);
      return tables.transaction().execute(async (transaction) => {
        const written = await transaction
          .updateTable("jobs")
          .set((eb) => ({
            // Written as it stands, so that a patch without fields holds the row too.
            fence,
            ...encodePatch(patch),
            ...(events.some(({ type }) => GETS_ON.has(type)) && { attempts: 1 }),
            ...(events.some(finishesStep) && { crashes: 0, crashes_alone: 0 }),
            ...(ended && {
              lease_owner: null,
              lease_until: null,
              ended_at: patch.endedAt ?? eb.fn.coalesce("ended_at", now),
            }),
          }))
          .where("id", "=", id)
          .where("fence", "=", fence)
          .where("state", "in", from)
          .returning("change")
          .executeTakeFirst();
        if (!written) {
          const ours = await transaction
            .selectFrom("jobs")
            .select("state")
            .where("id", "=", id)
            .where("fence", "=", fence)
            .executeTakeFirst();
          if (ours) throw new Error(`job ${id} cannot go from ${ours.state} to ${state}`);
          return false;
        }
        await appendEvents(transaction, database, id, fence, events);
        if (kept) await keepFiles(transaction, id, fence, kept);
        if (!ended) return true;
        await giveUpActs(transaction, id);
        if (state !== "blocked" || written.change === null) await dropFiles(transaction, id);
        return true;
      });
    },

    async setConflicts(id, conflicts) {
      await tables.transaction().execute((transaction) =>
        transaction
          .updateTable("jobs")
          .set({ conflicts: JSON.stringify(conflicts) })
          .where("id", "=", id)
          .execute(),
      );
    },

    async events(id) {
      const rows = await tables
        .selectFrom("events")
        .select(["seq", "payload"])
        .where("job_id", "=", id)
        .orderBy("seq")
        .execute();
      return rows.map((row) => fromJson<JobEvent>(row.payload, `job ${id}, event ${row.seq}`));
    },
  };
}

/** Nobody will ask any more for what would have published the change of a job that ended. */
async function giveUpActs(transaction: Kysely<Tables>, id: string): Promise<void> {
  await transaction
    .updateTable("outbox")
    .set({ state: "dead", last_error: "its job ended before" })
    .where("lane", "=", jobLane(id))
    .where("kind", "in", ASKED_ACTS)
    .where("state", "=", "pending")
    .execute();
}

/** Appends events to the history of a job whose row this transaction has written. */
export async function appendEvents(
  transaction: Kysely<Tables>,
  { now }: Database,
  id: string,
  fence: number,
  events: JobEvent[],
): Promise<void> {
  const { last } = await transaction
    .selectFrom("events")
    .select((eb) => eb.fn.max("seq").as("last"))
    .where("job_id", "=", id)
    .executeTakeFirstOrThrow();
  let seq = last ?? 0;
  for (const event of events) {
    seq += 1;
    const payload = JSON.stringify(event);
    await transaction
      .insertInto("events")
      .values({ job_id: id, seq, fence, type: event.type, payload, at: now })
      .execute();
  }
}
