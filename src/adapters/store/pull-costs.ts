import { type RawBuilder, sql } from "kysely";
import type { PullCosts, RowFilter } from "../../core/figures.ts";
import { repositoryNames } from "./names-of-rows.ts";
import type { Database } from "./schema.ts";

interface Counted {
  repo_id: number;
  pulls: number;
  cost: number;
}

/** What pull requests cost, and what was spent meanwhile, by repository. */
export async function pullCosts(
  { tables, engine }: Database,
  { from, until, repoId }: RowFilter,
): Promise<PullCosts[]> {
  const here = (column: string) =>
    repoId === null ? sql`1 = 1` : sql`${sql.ref(column)} = ${repoId}`;
  // A follow-up that failed has published nothing, but it was work on that pull request.
  const followed =
    engine === "sqlite"
      ? sql`json_extract(spec, '$.target.pull')`
      : sql`(spec::json -> 'target' ->> 'pull')::bigint`;
  const costs = sql`
    select tied.repo_id, tied.pull, sum(calls.micro_dollars) as cost
    from (
      select id, repo_id, case when pull is null and target_kind = 'follow_up' then ${followed} else pull end as pull
      from jobs where ${here("repo_id")}
    ) as tied join calls on calls.job_id = tied.id
    group by tied.repo_id, tied.pull`;
  const ours = sql`select distinct repo_id, pull from jobs where target_kind = 'new_pull' and pull is not null`;
  const counted = async (pulls: RawBuilder<unknown>) => {
    const { rows } = await sql<Counted>`
      select chosen.repo_id, count(*) as pulls, sum(coalesce(costs.cost, 0)) as cost
      from (${pulls}) as chosen
      left join (${costs}) as costs on costs.repo_id = chosen.repo_id and costs.pull = chosen.pull
      group by chosen.repo_id`.execute(tables);
    return new Map(rows.map((row) => [row.repo_id, row]));
  };
  const opened = await counted(
    sql`${ours} and ${here("repo_id")} and ended_at >= ${from} and ended_at < ${until}`,
  );
  const merged = await counted(sql`
    select merges.repo_id, merges.pull from merges
    join (${ours}) as ours on ours.repo_id = merges.repo_id and ours.pull = merges.pull
    where ${here("merges.repo_id")} and merged_at >= ${from} and merged_at < ${until}`);
  const spending = await sql<{ repo_id: number; spent: number }>`
    select repo_id, sum(micro_dollars) as spent from calls
    where ${here("repo_id")} and at >= ${from} and at < ${until} group by repo_id`.execute(tables);
  const spent = new Map(spending.rows.map((row) => [row.repo_id, row.spent]));
  const ids = [...new Set([...opened.keys(), ...merged.keys(), ...spent.keys()])];
  const names = await repositoryNames(tables, ids);
  const told = (row: Counted | undefined) => ({
    pulls: row?.pulls ?? 0,
    microDollars: row?.cost ?? 0,
  });
  return ids
    .toSorted((a, b) => a - b)
    .map((id) => ({
      repoId: id,
      repository: names.get(id) ?? "",
      spent: spent.get(id) ?? 0,
      opened: told(opened.get(id)),
      merged: told(merged.get(id)),
    }));
}
