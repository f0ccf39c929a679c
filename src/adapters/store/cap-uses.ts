import { type Kysely, type RawBuilder, sql } from "kysely";
import { CAP_NAMES, type CapUse, periodsOf } from "../../core/caps.ts";
import type { Caps, NewCall } from "../../core/ledger.ts";
import type { Tables } from "./schema.ts";

/** Whose caps are asked for. */
export type CapScope = Pick<
  NewCall,
  "jobId" | "commandId" | "actorId" | "repoId" | "installationId"
>;

/**
 * What is used of each cap there is at a time by the database's clock, and what the job has spent. Days and
 * months are only begun, never ended: rows from the future, of before a clock was set back, count.
 */
export async function capUses(
  reader: Kysely<Tables>,
  scope: CapScope,
  caps: Caps,
  at: number,
): Promise<{ uses: CapUse[]; jobSpent: number }> {
  const { day, month } = periodsOf(at);
  const within: Record<Exclude<keyof Caps, "call">, RawBuilder<unknown>> = {
    job: sql`job_id = ${scope.jobId}`,
    command: sql`command_id = ${scope.commandId}`,
    personDay: sql`actor_id = ${scope.actorId} and at >= ${day}`,
    repositoryDay: sql`repo_id = ${scope.repoId} and at >= ${day}`,
    repositoryMonth: sql`repo_id = ${scope.repoId} and at >= ${month}`,
    installationMonth: sql`installation_id = ${scope.installationId} and at >= ${month}`,
    operatorMonth: sql`at >= ${month}`,
  };
  const summed = CAP_NAMES.filter((cap) => cap !== "call").filter(
    (cap) => cap === "job" || caps[cap] !== null,
  );
  const sums = summed.map(
    (cap) =>
      sql`(select coalesce(sum(micro_dollars), 0) from calls where ${within[cap]}) as ${sql.ref(cap)}`,
  );
  const { rows } = await sql<Partial<Record<keyof Caps, number>>>`select ${sql.join(sums)}`.execute(
    reader,
  );
  const spent = rows[0] ?? {};
  const uses = CAP_NAMES.flatMap((cap): CapUse[] => {
    const limit = caps[cap];
    return limit === null ? [] : [{ cap, spent: spent[cap] ?? 0, limit }];
  });
  return { uses, jobSpent: spent.job ?? 0 };
}
