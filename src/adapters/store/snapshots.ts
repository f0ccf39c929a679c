import type { Kysely } from "kysely";
import type { KeptFiles, SnapshotStore } from "../../core/ports.ts";
import type { Database, Tables } from "./schema.ts";

/** The files of jobs at work, or of changes that are held. */
export function snapshotStore({ tables }: Database): SnapshotStore {
  return {
    async kept(jobId) {
      const row = await tables
        .selectFrom("snapshots")
        .select(["commit_id", "pack"])
        .where("job_id", "=", jobId)
        .executeTakeFirst();
      if (!row || row.pack === null) return null;
      return { commit: row.commit_id, pack: Buffer.from(row.pack, "base64") };
    },
  };
}

/** Keeps the files of a job whose row this transaction has written, in place of older ones. */
export async function keepFiles(
  transaction: Kysely<Tables>,
  jobId: string,
  fence: number,
  { commit, pack }: KeptFiles,
): Promise<void> {
  const files = {
    fence,
    commit_id: commit,
    ref: null,
    pack: Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength).toString("base64"),
  };
  await transaction
    .insertInto("snapshots")
    .values({ job_id: jobId, ...files })
    .onConflict((conflict) => conflict.column("job_id").doUpdateSet(files))
    .execute();
}

/** Forgets the files of a job. */
export async function dropFiles(transaction: Kysely<Tables>, jobId: string): Promise<void> {
  await transaction.deleteFrom("snapshots").where("job_id", "=", jobId).execute();
}
