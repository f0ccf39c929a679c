import { UserError } from "../core/errors.ts";
import { createLock } from "../core/lock.ts";
import type { CommandStore, GitHub, JobStore, Objects, Workspaces } from "../core/ports.ts";
import { type Opened, opened, refreshWithPulls } from "./board.ts";
import type { Outbox } from "./outbox.ts";

export interface NeighbourDeps {
  commands: CommandStore;
  jobs: JobStore;
  objects: Objects;
  workspaces: Pick<Workspaces, "fetch">;
  github: Pick<GitHub, "readGit">;
  outbox: Outbox;
}

/**
 * Merges the pull requests of one command pairwise in memory, and says on each and on the board which
 * conflict and where; and on each what to look at first in commits that were added to it, and whether they
 * finished what was stopped at a limit. The work of one command is done in order, so that the last word is the newest.
 */
export function createNeighbours(deps: NeighbourDeps): (commandId: string) => Promise<void> {
  const lock = createLock();
  return (commandId) => lock(commandId, () => compare(commandId, deps));
}

async function compare(commandId: string, deps: NeighbourDeps): Promise<void> {
  const jobs = (await deps.commands.jobsOf(commandId)).filter(opened);
  if (jobs.length === 0) return;
  const pairs = new Map<string, string[]>();
  const heads = new Map<string, string | null>();
  for (const job of jobs) {
    const neighbours: { number: number; conflicts: string[] }[] = [];
    for (const other of jobs) {
      // What goes to different branches never meets.
      if (other.id === job.id || other.target.base !== job.target.base) continue;
      const [first, second] = job.number < other.number ? [job, other] : [other, job];
      const pair = `${first.id} ${second.id}`;
      const files = pairs.get(pair) ?? (await conflictsOf(first, second, heads, deps));
      pairs.set(pair, files);
      neighbours.push({ number: other.number, conflicts: files });
    }
    const conflicts = neighbours
      .filter((neighbour) => neighbour.conflicts.length > 0)
      .map((neighbour) => ({ job: neighbour.number, files: neighbour.conflicts }));
    if (neighbours.length > 0) await deps.jobs.setConflicts(job.id, conflicts);
  }
  await refreshWithPulls(deps, commandId);
}

async function conflictsOf(
  first: Opened,
  second: Opened,
  heads: Map<string, string | null>,
  deps: NeighbourDeps,
): Promise<string[]> {
  const ours = await headOf(first, heads, deps);
  const theirs = await headOf(second, heads, deps);
  if (ours === null || theirs === null) return [];
  const merged = await deps.objects.merge(first.repo, ours, theirs);
  return "conflicts" in merged ? merged.conflicts : [];
}

/**
 * The change of a job as this mirror has it: its own commit, or, where another worker made that, what was
 * published of it; null when that is gone.
 */
async function headOf(
  { id, repo, change, publication: { headSha } }: Opened,
  heads: Map<string, string | null>,
  { objects, github, workspaces }: NeighbourDeps,
): Promise<string | null> {
  const known = heads.get(id);
  if (known !== undefined) return known;
  const own = (await objects.changed(repo, change.commit)) !== null;
  const head = own
    ? change.commit
    : await github
        .readGit(repo, (token) => workspaces.fetch(repo, [headSha], token))
        .then(() => headSha, unlessGone);
  heads.set(id, head);
  return head;
}

/** The branch of a pull request that was closed may be deleted. */
function unlessGone(thrown: unknown): null {
  if (thrown instanceof UserError) return null;
  throw thrown;
}
