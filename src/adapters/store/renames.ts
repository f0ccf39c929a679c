import { type Kysely, sql } from "kysely";
import type { RepoRef } from "../../core/job.ts";
import type { RenameStore } from "../../core/ports.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** Where repositories are, in an open database: it is part of what was stored about them. */
export function renameStore({ tables }: Database): RenameStore {
  return {
    renamed(repo) {
      return tables.transaction().execute(async (transaction) => {
        for (const id of await renameJobs(transaction, repo)) {
          await renameCommand(transaction, id, repo);
        }
        await renameActs(transaction, repo);
        await transaction
          .updateTable("repositories")
          .set({ installation_id: repo.installationId })
          .where("repo_id", "=", repo.id)
          .execute();
      });
    },
  };
}

/** Renames in the jobs of a repository; the ids of their commands. */
async function renameJobs(transaction: Kysely<Tables>, repo: RepoRef): Promise<Set<string>> {
  const jobs = await transaction
    .selectFrom("jobs")
    .select(["id", "command_id", "spec"])
    .where("repo_id", "=", repo.id)
    .execute();
  for (const { id, spec } of jobs) {
    const given = fromJson<{ repo: RepoRef }>(spec, `job ${id}, spec`);
    await transaction
      .updateTable("jobs")
      .set({ spec: renamed(given, repo), installation_id: repo.installationId })
      .where("id", "=", id)
      .execute();
  }
  return new Set(jobs.map((job) => job.command_id));
}

async function renameCommand(
  transaction: Kysely<Tables>,
  id: string,
  repo: RepoRef,
): Promise<void> {
  const { detail } = await transaction
    .updateTable("commands")
    // Written as it stands: who tells of it waits until this is stored.
    .set((eb) => ({ detail: eb.ref("detail") }))
    .where("id", "=", id)
    .returning("detail")
    .executeTakeFirstOrThrow();
  const given = fromJson<{ repo: RepoRef }>(detail, `command ${id}`);
  await transaction
    .updateTable("commands")
    .set({ detail: renamed(given, repo) })
    .where("id", "=", id)
    .execute();
}

/** What is still to be written; everything else is history. */
async function renameActs(transaction: Kysely<Tables>, repo: RepoRef): Promise<void> {
  const rows = await transaction
    .selectFrom("outbox")
    .select(["id", "act"])
    .where("state", "=", "pending")
    .where("act", "like", sql<string>`${`%"id":${repo.id},%`}`)
    .execute();
  for (const row of rows) {
    const act = fromJson<{ repo: RepoRef }>(row.act, `outbox row ${row.id}, the act`);
    if (act.repo.id !== repo.id) continue;
    await transaction
      .updateTable("outbox")
      .set({ act: renamed(act, repo) })
      .where("id", "=", row.id)
      .execute();
  }
}

function renamed(holder: { repo: RepoRef }, { installationId, owner, name }: RepoRef): string {
  return JSON.stringify({ ...holder, repo: { ...holder.repo, installationId, owner, name } });
}
