import { TransientError, UserError } from "../core/errors.ts";
import type { RepoRef } from "../core/job.ts";
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
  job.repo = (await follow(job.repo, deps)) ?? job.repo;
}

/** Where a repository is by now, which all rows about it say from then on; null where it was. */
export async function follow(
  repo: RepoRef,
  { places, renames, log }: RenameDeps,
): Promise<RepoRef | null> {
  const { installationId, owner, name } = repo;
  try {
    const found = await places.find(repo);
    const known = found.owner === owner && found.name === name;
    if (known && found.installationId === installationId) return null;
    await renames.renamed(found);
    const now = `${found.owner}/${found.name}`;
    const installation = found.installationId;
    log.info({ was: `${owner}/${name}`, now, installation }, "a repository was renamed or moved");
    return found;
  } catch (thrown) {
    if (!(thrown instanceof UserError) && !(thrown instanceof TransientError)) throw thrown;
    log.warn({ repo: `${owner}/${name}`, reason: thrown.message }, "a repository was not found");
    return null;
  }
}
