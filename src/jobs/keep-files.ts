import type { KeptFiles, SnapshotStore, Workspace, Workspaces } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type ShelfDeps, shelve } from "./shelf.ts";

/** The largest pack that goes through the store after a step, in bytes. */
const MAX_ROW_BYTES = 1024 * 1024;
/** The largest that goes by a ref: what is larger could not be published either. */
const MAX_REF_BYTES = 50 * 1024 * 1024;
/** From here on taking the files counts as slow, in ms. */
const SLOW_MS = 10_000;
/** A slow one rests that many times as long as it took, so that the work does not wait for it. */
const REST = 10;
/** How long large files are not sent to GitHub when it did not take them, in ms. */
const SHELF_REST_MS = 5 * 60_000;

/** Where the files of a job stand after a call: what its event says, and what is stored with it. */
export interface Kept {
  commit: string | null;
  files?: KeptFiles;
}

/** Takes the files after each call that may have changed them; `commit` is what they are now. */
export function createKeeper(
  attempt: Attempt,
  workspace: Workspace,
  start: string | null,
  deps: ShelfDeps & { snapshots: SnapshotStore },
): (wrote: boolean) => Promise<Kept> {
  const { job } = attempt;
  const { workspaces, log } = deps;
  let commit = start;
  let known: string | null = null;
  let restsUntil = 0;
  let shelfRestsUntil = deps.shelves ? 0 : Number.POSITIVE_INFINITY;

  async function take(): Promise<Kept> {
    const startedAt = performance.now();
    if (startedAt < restsUntil) return unkept();
    const { repo, baseSha: parent } = job;
    const maxBytes = startedAt < shelfRestsUntil ? MAX_ROW_BYTES : MAX_REF_BYTES;
    const request = { workspace, repo, parent, known, maxBytes };
    const taken = await workspaces.pack(request);
    const kept = await keptAs(taken);
    const tookMs = performance.now() - startedAt;
    if (tookMs > SLOW_MS || taken.status === "refused")
      restsUntil = startedAt + tookMs * (1 + REST);
    return kept;
  }

  async function keptAs(taken: Awaited<ReturnType<Workspaces["pack"]>>): Promise<Kept> {
    if (taken.status === "same") return { commit };
    if (taken.status === "refused") {
      log.info({ jobId: job.id, reason: taken.reason }, "the files of a step could not be kept");
      return unkept();
    }
    // The row has them, since an earlier attempt.
    const here = taken.commit === commit;
    const files = here ? undefined : await put(taken);
    if (files === null) return unkept();
    known = taken.tree;
    commit = taken.commit;
    return { commit, ...(files && { files }) };
  }

  /** In the row of the job, or where the row says. */
  async function put(taken: { commit: string; pack: Buffer }): Promise<KeptFiles | null> {
    const { commit, pack } = taken;
    if (pack.length <= MAX_ROW_BYTES) return { commit, pack };
    const kept = await deps.snapshots.kept(job.id);
    const before = kept !== null && "shelf" in kept ? kept.shelf : null;
    const shelf = await shelve(attempt, pack, before, deps);
    if (shelf === null) shelfRestsUntil = performance.now() + SHELF_REST_MS;
    return shelf && { commit, shelf };
  }

  function unkept(): Kept {
    known = null;
    commit = null;
    return { commit };
  }

  return async (wrote) => (wrote ? take() : { commit });
}
