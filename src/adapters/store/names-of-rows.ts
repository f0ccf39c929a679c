import type { Kysely } from "kysely";
import type { RepoRef } from "../../core/job.ts";
import { decodeCommand } from "./commands.ts";
import { fromJson, type Tables } from "./schema.ts";

/** `owner/name` of repositories, as their newest jobs have it. */
export async function repositoryNames(
  reader: Kysely<Tables>,
  ids: number[],
): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await reader
    .selectFrom("jobs")
    .select(["id", "repo_id", "spec"])
    .where("id", "in", ({ selectFrom }) =>
      // Ids of jobs rise with time.
      selectFrom("jobs as newest")
        .select(({ fn }) => fn.max("newest.id").as("id"))
        .where("newest.repo_id", "in", ids)
        .groupBy("newest.repo_id"),
    )
    .execute();
  return new Map(
    rows.map(({ id, repo_id, spec }) => {
      const { repo } = fromJson<{ repo: RepoRef }>(spec, `job ${id}, spec`);
      return [repo_id, `${repo.owner}/${repo.name}`];
    }),
  );
}

/** Logins of those who gave commands, as they were then, by command. */
export async function loginsOf(
  reader: Kysely<Tables>,
  commandIds: string[],
): Promise<Map<string, string>> {
  if (commandIds.length === 0) return new Map();
  const rows = await reader
    .selectFrom("commands")
    .select(["id", "detail"])
    .where("id", "in", commandIds)
    .execute();
  return new Map(rows.map(({ id, detail }) => [id, decodeCommand(detail, id).actor.login]));
}
