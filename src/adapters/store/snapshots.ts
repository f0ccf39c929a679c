import type { Kysely } from "kysely";
import type { KeptFiles, Shelf, SnapshotStore } from "../../core/ports.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** The files of jobs at work, or of changes that are held. */
export function snapshotStore({ tables }: Database): SnapshotStore {
  return {
    async kept(jobId) {
      const row = await tables
        .selectFrom("snapshots")
        .select(["commit_id", "ref", "pack"])
        .where("job_id", "=", jobId)
        .executeTakeFirst();
      if (!row) return null;
      const { commit_id: commit, pack, ref } = row;
      if (pack !== null) return { commit, pack: Buffer.from(pack, "base64") };
      if (ref === null) return null;
      return { commit, shelf: fromJson<Shelf>(ref, `the files of job ${jobId}`) };
    },
  };
}

/** Keeps the files of a job whose row this transaction has written, in place of older ones. */
export async function keepFiles(
  transaction: Kysely<Tables>,
  jobId: string,
  fence: number,
  kept: KeptFiles,
): Promise<void> {
  const files = {
    fence,
    commit_id: kept.commit,
    ref: "shelf" in kept ? JSON.stringify(kept.shelf) : null,
    pack: "pack" in kept ? inBase64(kept.pack) : null,
  };
  await transaction
    .insertInto("snapshots")
    .values({ job_id: jobId, ...files })
    .onConflict((conflict) => conflict.column("job_id").doUpdateSet(files))
    .execute();
}

function inBase64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** Forgets the files of a job. */
export async function dropFiles(transaction: Kysely<Tables>, jobId: string): Promise<void> {
  await transaction.deleteFrom("snapshots").where("job_id", "=", jobId).execute();
}
