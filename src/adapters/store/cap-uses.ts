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
  const within = rowsOf(scope, at);
  const summed = CAP_NAMES.filter((cap) => cap !== "call")
    .filter((cap) => cap === "job" || caps[cap] !== null)
    // Both are told by one look through the whole month.
    .filter((cap) => cap !== "installationMonth" || caps.operatorMonth === null);
  const sums = summed.map((cap) =>
    cap === "operatorMonth"
      ? sql`everything.*`
      : sql`(select coalesce(sum(micro_dollars), 0) from calls where ${within[cap]}) as ${sql.ref(cap)}`,
  );
  const mine = sql`case when installation_id = ${scope.installationId} then micro_dollars else 0 end`;
  const month = sql`
    from (select coalesce(sum(micro_dollars), 0) as "operatorMonth", coalesce(sum(${mine}), 0) as "installationMonth"
      from calls where ${within.operatorMonth}) as everything`;
  const { rows } = await sql<
    Partial<Record<keyof Caps, number>>
  >`select ${sql.join(sums)} ${caps.operatorMonth === null ? sql`` : month}`.execute(reader);
  const spent = rows[0] ?? {};
  const uses = CAP_NAMES.flatMap((cap): CapUse[] => {
    const limit = caps[cap];
    if (limit === null) return [];
    // Read from a setting without a look: nothing may be spent on it.
    if (!(limit >= 0)) throw new RangeError(`the cap ${cap} is ${limit}`);
    return [{ cap, spent: spent[cap] ?? 0, limit }];
  });
  return { uses, jobSpent: spent.job ?? 0 };
}

/** Micro-dollars under a cap that calls hold which are being made now, by claims that live. */
export async function underWay(
  reader: Kysely<Tables>,
  scope: CapScope,
  cap: keyof Caps,
  at: number,
): Promise<number> {
  if (cap === "call") return 0;
  const alive = sql`exists (select 1 from jobs where jobs.id = calls.job_id and jobs.fence = calls.fence and jobs.lease_until > ${at})`;
  const { rows } = await sql<{ held: number }>`
    select coalesce(sum(micro_dollars), 0) as held from calls
    where ${rowsOf(scope, at)[cap]} and state = 'reserved' and ${alive}`.execute(reader);
  return rows[0]?.held ?? 0;
}

/** Which rows count under a cap. */
function rowsOf(
  scope: CapScope,
  at: number,
): Record<Exclude<keyof Caps, "call">, RawBuilder<unknown>> {
  const { day, month } = periodsOf(at);
  return {
    job: sql`job_id = ${scope.jobId}`,
    command: sql`command_id = ${scope.commandId}`,
    personDay: sql`actor_id = ${scope.actorId} and at >= ${day}`,
    repositoryDay: sql`repo_id = ${scope.repoId} and at >= ${day}`,
    repositoryMonth: sql`repo_id = ${scope.repoId} and at >= ${month}`,
    installationMonth: sql`installation_id = ${scope.installationId} and at >= ${month}`,
    operatorMonth: sql`at >= ${month}`,
  };
}
