import { TransientError, UserError } from "../core/errors.ts";
import type { Log, Places, RenameStore } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";

export interface RenameDeps {
  places: Places;
  renames: RenameStore;
  log: Log;
}

/**
 * Goes on under the present name of a job's repository: its number stays when it is renamed or handed
 * over, and the old name may be another's by then. What GitHub refuses is left to the gate, which asks next.
 */
export async function followRename(attempt: Attempt, deps: RenameDeps): Promise<void> {
  const { job } = attempt;
  const { owner, name } = job.repo;
  try {
    const found = await deps.places.find(job.repo);
    if (found.owner === owner && found.name === name) return;
    await deps.renames.renamed(found);
    job.repo = found;
    const now = `${found.owner}/${found.name}`;
    deps.log.info({ jobId: job.id, was: `${owner}/${name}`, now }, "a repository was renamed");
  } catch (thrown) {
    if (!(thrown instanceof UserError) && !(thrown instanceof TransientError)) throw thrown;
    deps.log.warn({ jobId: job.id, reason: thrown.message }, "a repository could not be looked up");
  }
}
