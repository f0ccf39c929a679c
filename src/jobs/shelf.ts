import { type ActOf, jobLane } from "../core/act.ts";
import { TransientError, UserError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import type { GitHub, KeptFiles, Log, Shelf, Workspaces } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import type { Outbox } from "./outbox.ts";

/** The longest time a step waits for its files to be taken by GitHub. */
const PATIENCE_MS = 60_000;
/** Two refs take turns: one holds what the row of the job names, while the other gets the next. */
const SLOTS = [0, 1] as const;

export interface ShelfDeps {
  workspaces: Workspaces;
  outbox: Outbox;
  /** Whether other machines may go on with a job: else nobody would fetch what was put there. */
  shelves: boolean;
  log: Log;
}

/**
 * Puts files that are too large for a row under a private ref of the repository, sealed; null when GitHub
 * does not take them, which the log tells. `before` is where the row says they are.
 */
export async function shelve(
  { job, holder }: Attempt,
  pack: Uint8Array,
  before: Shelf | null,
  { workspaces, outbox, log }: ShelfDeps,
): Promise<Shelf | null> {
  const { repo } = job;
  const slot = before?.slot === 0 ? 1 : 0;
  const timeUp = AbortSignal.timeout(PATIENCE_MS);
  const signal = AbortSignal.any([holder.signal, timeUp]);
  // It belongs to the step under way: a stop that lets that end lets this be done, too.
  const by = { ...holder, signal, goOn: holder.insist };
  try {
    return await workspaces.withSealed(repo, pack, async ({ commit, key }) => {
      const act: ActOf<"keep"> = { kind: "keep", repo, commit, ref: wipRef(job, slot) };
      await outbox.perform<"keep">(keepKey(job, slot), jobLane(job.id), act, by);
      return { slot, commit, key };
    });
  } catch (thrown) {
    holder.insist();
    const known = thrown instanceof UserError || thrown instanceof TransientError;
    if (!known && thrown !== timeUp.reason) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : "";
    log.warn(
      { jobId: job.id, bytes: pack.length, reason },
      "GitHub did not take the files of a step: another machine would go on with those of an earlier one, and be told so",
    );
    return null;
  }
}

/** The pack that was kept, from wherever it lies; null when it is nowhere any more. */
export async function packOf(
  { repo }: Job,
  kept: KeptFiles,
  { github, workspaces }: { github: Pick<GitHub, "readGit">; workspaces: Workspaces },
): Promise<Uint8Array | null> {
  if ("pack" in kept) return kept.pack;
  const { shelf } = kept;
  try {
    await github.readGit(repo, (token) => workspaces.fetch(repo, [shelf.commit], token));
  } catch (thrown) {
    if (thrown instanceof UserError) return null;
    throw thrown;
  }
  return workspaces.unseal(repo, shelf);
}

/** Asks for the refs of a job that ended to go; the janitor does for one whose server died before. */
export async function clearShelf(job: Job, outbox: Outbox): Promise<void> {
  for (const slot of SLOTS) {
    const key = keepKey(job, slot);
    if ((await outbox.valueOf<"keep">(key)) === null) continue;
    const { repo } = job;
    const act = { kind: "delete_ref", repo, ref: wipRef(job, slot) } as const;
    await outbox.put({ key: `delete-ref:${key}`, lane: jobLane(job.id), act });
  }
}

function keepKey(job: Job, slot: number): string {
  return `keep:${job.id}:${slot}`;
}

/** Outside refs/heads, as the one that publishes is: no branch, no workflow. */
function wipRef(job: Job, slot: number): string {
  return `refs/draftsmith/wip/${job.id}/${slot}`;
}
