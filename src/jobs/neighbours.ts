import type { Job } from "../core/job.ts";
import { type Neighbour, renderPull } from "../core/messages/pull.ts";
import type { CommandStore, JobStore, Objects } from "../core/ports.ts";
import { refreshBoard } from "./board.ts";
import type { Outbox } from "./outbox.ts";

export interface NeighbourDeps {
  commands: CommandStore;
  jobs: JobStore;
  objects: Objects;
  outbox: Outbox;
}

/**
 * Merges the pull requests of one command pairwise in memory, and says on each and on the board which
 * conflict and where. The work of one command is done in order, so that the last word is the newest.
 */
export function createNeighbours(deps: NeighbourDeps): (commandId: string) => Promise<void> {
  const queues = new Map<string, Promise<void>>();
  return (commandId) => {
    const before = queues.get(commandId) ?? Promise.resolve();
    const next = before
      .catch(() => undefined) // Its own caller hears of it.
      .then(() => compare(commandId, deps))
      .finally(() => {
        if (queues.get(commandId) === next) queues.delete(commandId);
      });
    queues.set(commandId, next);
    return next;
  };
}

async function compare(commandId: string, deps: NeighbourDeps): Promise<void> {
  const command = await deps.commands.command(commandId);
  const jobs = (await deps.commands.jobsOf(commandId)).filter(opened);
  if (!command || jobs.length < 2) return;
  for (const job of jobs) {
    const { change, publication } = job;
    if (!change || !publication) continue;
    const neighbours: Neighbour[] = [];
    for (const other of jobs) {
      if (other.id === job.id || !other.change || !other.publication) continue;
      const merged = await deps.objects.merge(job.repo, change.commit, other.change.commit);
      neighbours.push({
        number: other.number,
        pull: other.publication.pull,
        conflicts: "conflicts" in merged ? merged.conflicts : [],
      });
    }
    const conflicts = neighbours
      .filter((neighbour) => neighbour.conflicts.length > 0)
      .map((neighbour) => ({ job: neighbour.number, files: neighbour.conflicts }));
    await deps.jobs.setConflicts(job.id, conflicts);
    await deps.outbox.put({
      key: `pull-body:${job.id}`,
      lane: `pull-body:${job.id}`,
      act: {
        kind: "pull_body",
        repo: job.repo,
        pull: publication.pull,
        body: renderPull({ command, job, change, headSha: publication.headSha, neighbours }),
      },
    });
  }
  await refreshBoard(deps, commandId);
}

/** Follow-ups share one branch and were carried over each other already. */
function opened(job: Job): boolean {
  return job.target.kind === "new_pull" && job.change !== null && job.publication !== null;
}
