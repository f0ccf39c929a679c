import type { Job } from "../core/job.ts";
import type { KeptFiles, Log, Workspace, Workspaces } from "../core/ports.ts";

/** The largest pack that goes through the store after a step, in bytes. */
const MAX_PACK_BYTES = 1024 * 1024;
/** From here on taking the files counts as slow, in ms. */
const SLOW_MS = 10_000;
/** A slow one rests that many times as long as it took, so that the work does not wait for it. */
const REST = 10;

/** Where the files of a job stand after a call: what its event says, and what is stored with it. */
export interface Kept {
  commit: string | null;
  files?: KeptFiles;
}

/** Takes the files after each call that may have changed them; `commit` is what they are now. */
export function createKeeper(
  job: Job,
  workspace: Workspace,
  start: string | null,
  { workspaces, log }: { workspaces: Workspaces; log: Log },
): (wrote: boolean) => Promise<Kept> {
  let commit = start;
  let known: string | null = null;
  let restsUntil = 0;

  async function take(): Promise<Kept> {
    const startedAt = performance.now();
    if (startedAt < restsUntil) return unkept();
    const { repo, baseSha: parent } = job;
    const request = { workspace, repo, parent, known, maxBytes: MAX_PACK_BYTES };
    const taken = await workspaces.pack(request);
    const tookMs = performance.now() - startedAt;
    if (tookMs > SLOW_MS || taken.status === "refused")
      restsUntil = startedAt + tookMs * (1 + REST);
    switch (taken.status) {
      case "same":
        return { commit };
      case "packed":
        known = taken.tree;
        commit = taken.commit;
        return { commit, files: { commit, pack: taken.pack } };
      case "refused":
        log.info({ jobId: job.id, reason: taken.reason }, "the files of a step could not be kept");
        return unkept();
    }
  }

  function unkept(): Kept {
    known = null;
    commit = null;
    return { commit };
  }

  return async (wrote) => (wrote ? take() : { commit });
}
