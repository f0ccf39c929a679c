import { type Kysely, type Selectable, type SqlBool, sql } from "kysely";
import { type Alike, FEWEST } from "../../core/estimate.ts";
import type { FiguresStore, NamedRow } from "../../core/figures.ts";
import type { JobState } from "../../core/job.ts";
import type { LedgerRow, NewCall } from "../../core/ledger.ts";
import { spentBy } from "./calls-of-jobs.ts";
import { capUses } from "./cap-uses.ts";
import { loginsOf, repositoryNames } from "./names-of-rows.ts";
import { pullCosts } from "./pull-costs.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** Jobs that an estimate rests on, at most. */
const HISTORY = 200;
/** What a person stopped would have cost more. */
const WHOLE: JobState[] = ["done", "no_change", "blocked", "over_budget", "failed"];

/** What the ledger of an open database tells. */
export function figuresStore(database: Database): FiguresStore {
  const { tables, now } = database;
  return {
    async history(of) {
      for (const alike of ["skill", "repository"] as const) {
        const costs = await costsOf(tables, of, alike);
        if (costs.length >= FEWEST) return { alike, costs };
      }
      return { alike: "installation", costs: await costsOf(tables, of, "installation") };
    },

    async used(of, caps) {
      const { at } = await tables.selectNoFrom(now.as("at")).executeTakeFirstOrThrow();
      const { uses } = await capUses(tables, of, caps, at);
      return uses;
    },

    pullCosts: (filter) => pullCosts(database, filter),

    async ledgerPage({ from, until, repoId }, after, most) {
      const rows = await tables
        .selectFrom("calls")
        .selectAll()
        .where("at", ">=", from)
        .where("at", "<", until)
        .$if(repoId !== null, (query) => query.where("repo_id", "=", repoId))
        .$if(after !== null, (query) =>
          query.where(sql<SqlBool>`(at, id) > (${after?.at}, ${after?.id})`),
        )
        .orderBy("at")
        .orderBy("id")
        .limit(most)
        .execute();
      const repositories = await repositoryNames(tables, [...new Set(rows.map((r) => r.repo_id))]);
      const logins = await loginsOf(tables, [...new Set(rows.map((row) => row.command_id))]);
      return rows.map(
        (row): NamedRow => ({
          ...decodeCall(row),
          repository: repositories.get(row.repo_id) ?? "",
          actor: logins.get(row.command_id) ?? "",
        }),
      );
    },
  };
}

/** What the newest ended jobs cost that are alike in this respect, the newest first. */
async function costsOf(
  reader: Kysely<Tables>,
  { repoId, installationId, skill }: Pick<NewCall, "repoId" | "installationId" | "skill">,
  alike: Alike,
): Promise<number[]> {
  const jobs = await reader
    .selectFrom("jobs")
    .select("jobs.id")
    .where("jobs.state", "in", WHOLE)
    .where("jobs.ended_at", "is not", null)
    .$if(alike === "installation", (query) =>
      query.where("jobs.installation_id", "=", installationId),
    )
    .$if(alike !== "installation", (query) => query.where("jobs.repo_id", "=", repoId))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("calls")
          .select("calls.id")
          .whereRef("calls.job_id", "=", "jobs.id")
          .where("calls.micro_dollars", ">", 0)
          .$if(alike === "skill", (query) =>
            query.where("calls.skill", skill === null ? "is" : "=", skill),
          ),
      ),
    )
    .orderBy("jobs.ended_at", "desc")
    .orderBy("jobs.id", "desc")
    .limit(HISTORY)
    .execute();
  const ids = jobs.map(({ id }) => id);
  const spent = await spentBy(reader, ids);
  return ids.map((id) => spent.get(id)?.microDollars ?? 0);
}

function decodeCall(row: Selectable<Tables["calls"]>): LedgerRow {
  return {
    id: row.id,
    jobId: row.job_id,
    commandId: row.command_id,
    actorId: row.actor_id,
    repoId: row.repo_id,
    installationId: row.installation_id,
    skill: row.skill,
    step: row.step,
    provider: row.provider,
    model: row.model,
    rule: row.rule,
    state: row.state,
    microDollars: row.micro_dollars,
    reserved: row.reserved,
    inputTokens: row.input_tokens,
    cachedTokens: row.cached_tokens,
    outputTokens: row.output_tokens,
    reasoningTokens: row.reasoning_tokens,
    price: row.price === null ? null : fromJson<LedgerRow["price"]>(row.price, `call ${row.id}`),
    reported: row.reported === 1,
    latencyMs: row.latency_ms,
    requestId: row.request_id,
    reason: row.reason,
    at: row.at,
  };
}
