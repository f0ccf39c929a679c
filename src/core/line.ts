import type { QueuedJob } from "./ports.ts";

/** Places that are worked out; who is further back is told nothing yet. */
const MOST = 1000;

interface Waiting {
  repoId: number;
  installationId: number;
  /** The next one first. */
  jobs: QueuedJob[];
}

/**
 * How many go before each job, by the rule of the claim: the highest priority first, then the installation
 * and the repository that were served longest ago, then the oldest. As if no more came, and as if no
 * repository had all the work it may have at a time.
 */
export function placesInLine(
  queued: QueuedJob[],
  served: { repoId: number; installationId: number; servedAt: number }[],
): Map<string, number> {
  const repositories = new Map(served.map((each) => [each.repoId, each.servedAt]));
  const installations = new Map<number, number>();
  for (const { installationId, servedAt } of served) {
    installations.set(installationId, Math.max(servedAt, installations.get(installationId) ?? 0));
  }
  /** Later than any of these times. */
  let turn = Math.max(0, ...installations.values());
  const places = new Map<string, number>();

  function turnOf({ repoId, installationId, jobs }: Waiting): number[] {
    const [job] = jobs;
    const since = [installations.get(installationId) ?? 0, repositories.get(repoId) ?? 0];
    return [-(job?.priority ?? 0), ...since, job?.createdAt ?? 0, job?.number ?? 0];
  }

  const waiting = byRepository(queued);
  while (waiting.length > 0 && places.size < MOST) {
    const next = waiting.reduce((first, each) =>
      isBefore(turnOf(each), turnOf(first)) ? each : first,
    );
    const job = next.jobs.shift();
    if (job) places.set(job.id, places.size);
    turn += 1;
    repositories.set(next.repoId, turn);
    installations.set(next.installationId, turn);
    if (next.jobs.length === 0) waiting.splice(waiting.indexOf(next), 1);
  }
  return places;
}

/** Whether a board that told `told` should tell `now`: close to its turn always, else what is worth a look. */
export function isWorthTelling(told: number | null, now: number): boolean {
  if (told === null || now <= 3) return told !== now;
  return Math.abs(told - now) >= Math.max(1, Math.floor(told / 4));
}

function byRepository(queued: QueuedJob[]): Waiting[] {
  const found = new Map<number, Waiting>();
  for (const job of queued) {
    const { repoId, installationId } = job;
    const waiting = found.get(repoId) ?? { repoId, installationId, jobs: [] };
    waiting.jobs.push(job);
    found.set(repoId, waiting);
  }
  for (const { jobs } of found.values()) jobs.sort((a, b) => (isBefore(age(a), age(b)) ? -1 : 1));
  return [...found.values()];
}

function age({ priority, createdAt, number, id }: QueuedJob): (number | string)[] {
  return [-priority, createdAt, number, id];
}

function isBefore(one: (number | string)[], other: (number | string)[]): boolean {
  for (const [at, value] of one.entries()) {
    const against = other[at] ?? value;
    if (value !== against) return value < against;
  }
  return false;
}
