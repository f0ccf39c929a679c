import type { Kysely } from "kysely";
import type { Command, Job } from "../../core/job.ts";
import type { CommandStore } from "../../core/ports.ts";
import { jobsFrom } from "./calls-of-jobs.ts";
import { wentOnWith } from "./continuations.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** What commands stored by earlier versions lack. */
const NOT_TOLD = { subject: null };

/** The commands and their jobs in an open database. */
export function commandStore({ tables }: Database): CommandStore {
  return {
    async command(id) {
      const row = await tables
        .selectFrom("commands")
        .select("detail")
        .where("id", "=", id)
        .executeTakeFirst();
      return row ? decodeCommand(row.detail, id) : null;
    },

    jobsOf: (commandId) => jobsOf(tables, commandId),

    async askedAt(repoId, issue) {
      const rows = await tables
        .selectFrom("jobs")
        .selectAll()
        .where("repo_id", "=", repoId)
        .where("command_id", "in", (eb) =>
          eb
            .selectFrom("intakes")
            .innerJoin("commands", "commands.key", "intakes.key")
            .select("commands.id")
            .where("intakes.repo_id", "=", repoId)
            .where("intakes.issue", "=", issue),
        )
        .orderBy("created_at")
        .orderBy("number")
        .orderBy("id")
        .execute();
      return jobsFrom(tables, rows);
    },

    async jobOfPull(repoId, pull) {
      const row = await tables
        .selectFrom("jobs")
        .selectAll()
        .where("repo_id", "=", repoId)
        .where("pull", "=", pull)
        // A follow-up of the pull request has published to it too, but did not open it.
        .where("target_kind", "=", "new_pull")
        .orderBy("created_at")
        .executeTakeFirst();
      return (await jobsFrom(tables, row ? [row] : []))[0] ?? null;
    },

    async followUpsOf(repoId, pull) {
      const rows = await tables
        .selectFrom("jobs")
        .selectAll()
        .where("repo_id", "=", repoId)
        .where("pull", "=", pull)
        .where("target_kind", "=", "follow_up")
        .orderBy("created_at")
        .orderBy("id")
        .execute();
      return jobsFrom(tables, rows);
    },

    wentOnWith: (jobIds) => wentOnWith(tables, jobIds),

    async merged(repoId, pull, at) {
      await tables.transaction().execute(async (transaction) => {
        const ours = await transaction
          .selectFrom("jobs")
          .select("id")
          .where("repo_id", "=", repoId)
          .where("pull", "=", pull)
          .limit(1)
          .executeTakeFirst();
        if (!ours) return;
        await transaction
          .insertInto("merges")
          .values({ repo_id: repoId, pull, merged_at: at })
          .onConflict((conflict) => conflict.columns(["repo_id", "pull"]).doNothing())
          .execute();
      });
    },
  };
}

/** How earlier versions stored what all commands then were: comments. */
interface Before {
  commentId?: number;
  commentUrl?: string;
  commentedAt?: string;
}

/** A stored command. */
export function decodeCommand(detail: string, id: string): Command {
  const { commentId, commentUrl, commentedAt, ...stored } = fromJson<Command & Before>(
    detail,
    `command ${id}`,
  );
  const before = {
    ...(commentId !== undefined && { way: { kind: "comment", id: commentId } as const }),
    ...(commentUrl !== undefined && { url: commentUrl }),
    ...(commentedAt !== undefined && { askedAt: commentedAt }),
  };
  return { ...NOT_TOLD, ...before, ...stored };
}

/** The jobs of a command by their numbers. */
export async function jobsOf(reader: Kysely<Tables>, commandId: string): Promise<Job[]> {
  const rows = await reader
    .selectFrom("jobs")
    .selectAll()
    .where("command_id", "=", commandId)
    .orderBy("number")
    .orderBy("id")
    .execute();
  return jobsFrom(reader, rows);
}
