import type { AllowanceStore } from "../../core/ports.ts";
import { jobsFrom } from "./calls-of-jobs.ts";
import { appendEvents } from "./jobs.ts";
import type { Database } from "./schema.ts";

/** Held changes, and the words of admins that let them out. */
export function allowanceStore(database: Database): AllowanceStore {
  const { tables } = database;
  return {
    async jobsCalled(repoId, shortId) {
      if (!/^[0-9a-f]{8}$/.test(shortId)) return [];
      const rows = await tables
        .selectFrom("jobs")
        .selectAll()
        .where("repo_id", "=", repoId)
        .where("id", "like", `%${shortId}`)
        .orderBy("created_at")
        .orderBy("id")
        .execute();
      return jobsFrom(tables, rows);
    },

    allow(jobId, allowance) {
      return tables.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom("jobs")
          .selectAll()
          .where("id", "=", jobId)
          .executeTakeFirst();
        const [job] = await jobsFrom(transaction, row ? [row] : []);
        const held = job?.state === "blocked" ? job.change : null;
        if (!job || held === null || held.violations.length === 0) return false;
        if (held.commit !== allowance.commit) return false;
        const written = await transaction
          .updateTable("jobs")
          .set({
            state: "queued",
            run_at: database.now,
            attempts: 0,
            crashes: 0,
            crashes_alone: 0,
            stop: null,
            allowance: JSON.stringify(allowance),
            reason: "",
            last_action: `${allowance.actor.login} (admin) allowed it`,
            started_at: null,
            ended_at: null,
          })
          .where("id", "=", jobId)
          // Another word came first, or the job is somebody's again.
          .where("state", "=", "blocked")
          .where("fence", "=", job.fence)
          .returning("id")
          .executeTakeFirst();
        if (!written) return false;
        const reason = `allowed by ${allowance.actor.login}`;
        await appendEvents(transaction, database, jobId, job.fence, [
          { type: "state", from: "blocked", to: "queued", reason },
        ]);
        await database.announce(transaction, 1);
        return true;
      });
    },
  };
}
