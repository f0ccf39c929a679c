import { money } from "./money.ts";

/** What jobs like one cost, in micro-dollars. */
export interface Estimate {
  median: number;
  /** Nine of ten cost at most this. */
  p90: number;
  /** How many were looked at. */
  jobs: number;
}

/** Which jobs were looked at: of the same skill and repository; where they are too few, of more. */
export type Alike = "skill" | "repository" | "installation";

/** What earlier jobs cost, in micro-dollars each. */
export interface History {
  alike: Alike;
  costs: number[];
}

/** Of fewer nothing can be said. */
export const FEWEST = 5;

/** What a job will cost, going by what others did; null when they are too few. Half micro-dollars go up. */
export function estimate(costs: number[]): Estimate | null {
  const known = costs
    .filter((cost) => Number.isFinite(cost) && cost >= 0)
    .toSorted((a, b) => a - b);
  const jobs = known.length;
  if (jobs < FEWEST) return null;
  const at = (index: number) => known[index] ?? 0;
  const middle = (at(Math.floor((jobs - 1) / 2)) + at(Math.floor(jobs / 2))) / 2;
  return { median: Math.round(middle), p90: at(Math.ceil(jobs * 0.9) - 1), jobs };
}

const LIKE: Record<Alike, string> = {
  skill: "jobs like it",
  repository: "jobs of this repository",
  installation: "jobs of this installation",
};

/** An estimate as a clause for the board: "about $0.40, at most $1.10 in 9 of 10 jobs like it (of 37)". */
export function estimateWords({ median, p90, jobs }: Estimate, alike: Alike): string {
  return `about ${money(median)}, at most ${money(p90)} in 9 of 10 ${LIKE[alike]} (of ${jobs})`;
}
