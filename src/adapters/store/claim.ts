import { type Kysely, type Selectable, sql } from "kysely";
import { isTerminal, JOB_STATES, SUSPECT_AFTER } from "../../core/job.ts";
import type { ClaimStore } from "../../core/ports.ts";
import { jobsFrom } from "./calls-of-jobs.ts";
import { decodeJob } from "./job-row.ts";
import { BUCKETS } from "./paces.ts";
import type { Database, Tables } from "./schema.ts";
import { holdIn } from "./shared.ts";

type Held = Selectable<Tables["jobs"]>;

const UNFINISHED = JOB_STATES.filter((state) => !isTerminal(state));

/** How long a job waits for a worker that has its repository's mirror already, in ms. */
const WAIT_FOR_MIRROR_MS = 1_000;
/** From when on a worker that was not seen counts as gone, in ms. */
const WORKER_SEEN_MS = 15_000;
/** What is asked of the job whose turn it is. */
const CHOSEN = ["job.id", "job.lease_owner", "job.company", "job.crashes"] as const;
/** How long a process that empties itself for one job is waited for since it looked last, in ms. */
const EMPTIES_MS = 10_000;
/** Nothing waits longer, in ms, GitHub's limit of an hour and what comes after it included: what seems to is from before the clock was set back. */
const LONGEST_WAIT_MS = 2 * 60 * 60_000;

/**
 * The jobs of an open database as those see them who look for work. All claims go one after another,
 * so that no two count the same free place of a repository.
 */
export function claimStore(database: Database): ClaimStore {
  const { tables, now } = database;
  const later = (ms: number) => sql<number>`${now} + ${ms}`;

  /** Jobs that nobody holds and whose time has come. */
  function free(reader: Kysely<Tables>) {
    return reader
      .selectFrom("jobs as job")
      .where("job.state", "in", UNFINISHED)
      .where("job.run_at", "<=", now)
      .where((eb) => eb.or([eb("job.lease_until", "is", null), eb("job.lease_until", "<=", now)]));
  }

  /** The one whose turn it is. */
  function next(
    reader: Kysely<Tables>,
    { perRepository, worker }: { perRepository: number; worker: string },
    suspects = true,
  ) {
    return (
      free(reader)
        .innerJoin("repositories as repo", "repo.repo_id", "job.repo_id")
        .select(CHOSEN)
        .where(
          ({ selectFrom }) =>
            selectFrom("jobs as held")
              .select(({ fn }) => fn.countAll<number>().as("jobs"))
              .whereRef("held.repo_id", "=", "job.repo_id")
              .where("held.lease_until", ">", now)
              .where("held.state", "in", UNFINISHED),
          "<",
          perRepository,
        )
        .where(({ or, not, exists, eb, selectFrom }) =>
          or([
            eb("job.run_at", "<=", sql<number>`${now} - ${WAIT_FOR_MIRROR_MS}`),
            exists(
              selectFrom("mirrors as own")
                .select("own.repo_id")
                .where("own.worker", "=", worker)
                .whereRef("own.repo_id", "=", "job.repo_id"),
            ),
            not(
              exists(
                selectFrom("mirrors as other")
                  .innerJoin("workers", "workers.id", "other.worker")
                  .select("other.repo_id")
                  .where("workers.id", "!=", worker)
                  .whereRef("other.repo_id", "=", "job.repo_id")
                  .whereRef("workers.busy", "<", "workers.slots")
                  .where("workers.seen_at", ">", sql<number>`${now} - ${WORKER_SEEN_MS}`),
              ),
            ),
          ]),
        )
        .$if(!suspects, (query) =>
          query.where(
            sql<number>`job.crashes + case when job.lease_owner is null then 0 else 1 end`,
            "<",
            SUSPECT_AFTER,
          ),
        )
        .orderBy("job.priority", "desc")
        .orderBy(({ selectFrom }) =>
          selectFrom("repositories as near")
            .select(({ fn }) => fn.max("near.served_at").as("served_at"))
            .whereRef("near.installation_id", "=", "repo.installation_id"),
        )
        .orderBy("repo.served_at")
        // Of jobs that are tried one by one, each has its turn before one is given up.
        .orderBy((eb) =>
          eb
            .case()
            .when("job.crashes", ">=", SUSPECT_AFTER)
            .then(eb.ref("job.crashes_alone"))
            .else(0)
            .end(),
        )
        .orderBy("job.created_at")
        .orderBy("job.number")
        .orderBy("job.id")
        .limit(1)
    );
  }

  /** What began and was stopped while nobody worked on it: to be ended takes no place. */
  function stoppedOne(reader: Kysely<Tables>) {
    return free(reader)
      .select(CHOSEN)
      .where("job.stop", "is not", null)
      .orderBy("job.created_at")
      .orderBy("job.id")
      .limit(1);
  }

  return {
    async claimNext({ owner, worker, leaseMs, perRepository, stopped = false, alone = true }) {
      const by = { perRepository, worker };
      const one = (reader: Kysely<Tables>) => (stopped ? stoppedOne(reader) : next(reader, by));
      // Most looks find nothing: they need not wait for the claims of others.
      if (!(await one(tables).executeTakeFirst())) return null;
      return tables.transaction().execute(async (transaction) => {
        await database.alone(transaction, "claim");
        let chosen = await one(transaction).executeTakeFirst();
        if (!stopped && !alone && chosen && crashesOf(chosen, owner) >= SUSPECT_AFTER) {
          // One process takes nothing else until it is idle and can give itself to it; the others go on.
          const empties = { name: "alone", owner, ms: EMPTIES_MS };
          if (await holdIn(transaction, database, empties)) return null;
          chosen = await next(transaction, by, false).executeTakeFirst();
        }
        if (!chosen) return null;
        const died = isOfDead(chosen, owner);
        const crashes = crashesOf(chosen, owner);
        const row = await transaction
          .updateTable("jobs")
          .set((eb) => ({
            fence: eb("fence", "+", 1),
            attempts: eb("attempts", "+", died ? 0 : 1),
            crashes,
            ...(died && chosen.company === 1 && { crashes_alone: eb("crashes_alone", "+", 1) }),
            company: 1,
            lease_owner: owner,
            lease_until: later(leaseMs),
            ahead: null,
          }))
          .where("id", "=", chosen.id)
          .returningAll()
          .executeTakeFirstOrThrow();
        await countCompany(transaction, owner);
        await transaction
          .updateTable("repositories")
          .set({ served_at: now })
          .where("repo_id", "=", row.repo_id)
          .execute();
        // Nobody called a model for what was never claimed before.
        if (row.fence === 1) return decodeJob(row, undefined);
        return (await jobsFrom(transaction, [row]))[0] ?? null;
      });
    },

    async renew(id, fence, leaseMs) {
      const row = await tables.transaction().execute((transaction) =>
        transaction
          .updateTable("jobs")
          .set({ lease_until: later(leaseMs) })
          .where("id", "=", id)
          .where("fence", "=", fence)
          // What ended or was given back is nobody's.
          .where("lease_owner", "is not", null)
          .returning("id")
          .executeTakeFirst(),
      );
      return row !== undefined;
    },

    async release(id, fence, { inMs, burn }) {
      await tables.transaction().execute((transaction) =>
        transaction
          .updateTable("jobs")
          .set((eb) => ({
            lease_owner: null,
            lease_until: null,
            crashes: 0,
            crashes_alone: 0,
            run_at: later(Math.max(0, Math.ceil(inMs))),
            ...(burn ? {} : { attempts: eb("attempts", "-", 1) }),
          }))
          .where("id", "=", id)
          .where("fence", "=", fence)
          .where("lease_owner", "is not", null)
          .execute(),
      );
    },

    releaseAll(worker) {
      return tables.transaction().execute(async (transaction) => {
        const free = { lease_owner: null, lease_until: null };
        const theirs = `${worker}/%`;
        await transaction
          .updateTable("outbox")
          .set(free)
          .where("lease_owner", "like", theirs)
          .execute();
        const jobs = await transaction
          .updateTable("jobs")
          .set((eb) => ({
            ...free,
            attempts: eb("attempts", "-", 1),
            crashes: eb("crashes", "+", 1),
            crashes_alone: sql<number>`crashes_alone + case when company = 1 then 1 else 0 end`,
          }))
          .where("lease_owner", "like", theirs)
          .returning("id")
          .execute();
        await transaction.deleteFrom("leases").where("owner", "like", theirs).execute();
        const ages = later(LONGEST_WAIT_MS);
        await transaction
          .updateTable("jobs")
          .set({ run_at: now })
          .where("run_at", ">", ages)
          .execute();
        await transaction
          .updateTable("outbox")
          .set({ next_at: now })
          .where("next_at", ">", ages)
          .execute();
        await transaction
          .updateTable("outbox")
          .set({ told_at: now })
          .where("told_at", ">", now)
          .execute();
        await transaction.deleteFrom("leases").where("until", ">", ages).execute();
        await transaction.deleteFrom("pauses").where("until", ">", ages).execute();
        await transaction
          .deleteFrom("paces")
          .where((eb) => eb.or(BUCKETS.map((name) => eb(name, ">", ages))))
          .execute();
        return jobs.length;
      });
    },

    async waiting() {
      const rows = await free(tables).select("job.id").orderBy("job.id").execute();
      return rows.map((row) => row.id);
    },

    async othersWork(worker) {
      const other = await tables
        .selectFrom("workers")
        .select("id")
        .where("id", "!=", worker)
        .where("slots", ">", 0)
        .where("seen_at", ">", sql<number>`${now} - ${WORKER_SEEN_MS}`)
        .limit(1)
        .executeTakeFirst();
      return other !== undefined;
    },
  };
}

/** Whether the process died that had it: whoever lives gives a job back when it lets go of it. */
function isOfDead({ lease_owner }: Pick<Held, "lease_owner">, owner: string): boolean {
  return lease_owner !== null && lease_owner !== owner;
}

function crashesOf(job: Pick<Held, "lease_owner" | "crashes">, owner: string): number {
  return job.crashes + (isOfDead(job, owner) ? 1 : 0);
}

/** Lets each job of a process know how many it has. */
async function countCompany(transaction: Kysely<Tables>, owner: string): Promise<void> {
  const { jobs } = await transaction
    .selectFrom("jobs")
    .select(({ fn }) => fn.countAll<number>().as("jobs"))
    .where("lease_owner", "=", owner)
    .executeTakeFirstOrThrow();
  await transaction
    .updateTable("jobs")
    .set({ company: jobs })
    .where("lease_owner", "=", owner)
    .where("company", "<", jobs)
    .execute();
}
