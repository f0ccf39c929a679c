/**
 * How often GitHub may be written to for one installation, each as a bucket that fills again: what it holds
 * at most, and after how many ms it holds one more. GitHub's documented secondary limits
 * (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api) hold in any minute and any hour:
 * what a bucket holds and what flows into it in that time are together less.
 */
const PACES = {
  /** A write costs 5 of the 900 points of a minute; half of them are left for reads. */
  writes: { holds: 30, everyMs: 1000 },
  /** What makes content: 80 in a minute … */
  minute: { holds: 30, everyMs: 1200 },
  /** … and 500 in an hour. */
  hour: { holds: 200, everyMs: 12_000 },
} as const;

type Name = keyof typeof PACES;

/** When each bucket of an installation is full again, in ms since the epoch. */
export type Buckets = Record<Name, number>;

/** One write that somebody wants to make. */
export interface Wish {
  /** Whether it makes something that people see: a comment, a reaction, a pull request, a check run. */
  creates: boolean;
  /** How much it leaves in each bucket for what matters more. */
  leaves: number;
}

/** What is left in the buckets of an installation that GitHub told to slow down. */
const AFTER_A_LIMIT = 10;

/**
 * How long each wish has to wait, in ms, the first one first; 0 is taken out of the buckets. What has to wait
 * takes nothing, and comes again.
 */
export function pace(
  before: Buckets,
  wishes: Wish[],
  now: number,
): { buckets: Buckets; waits: number[] } {
  const buckets = { ...before };
  const ahead: Record<Name, number> = { writes: 0, minute: 0, hour: 0 };
  const waits = wishes.map(({ creates, leaves }) => {
    const names: Name[] = creates ? ["writes", "minute", "hour"] : ["writes"];
    const [longest] = names
      .map((name) => {
        const { holds, everyMs } = PACES[name];
        const missing = Math.max(0, buckets[name] - now) + ahead[name] * everyMs;
        return { name, ms: Math.max(0, missing - (holds - 1 - leaves) * everyMs) };
      })
      .toSorted((one, other) => other.ms - one.ms);
    if (longest !== undefined && longest.ms > 0) {
      ahead[longest.name] += 1;
      return longest.ms;
    }
    for (const name of names) buckets[name] = Math.max(buckets[name], now) + PACES[name].everyMs;
    return 0;
  });
  return { buckets, waits };
}

/** The buckets after a limit that lasts until `end`: nearly empty, so that nobody runs into the next one. */
export function slowed(before: Buckets, end: number): Buckets {
  const left = (name: Name) =>
    Math.max(before[name], end + (PACES[name].holds - AFTER_A_LIMIT) * PACES[name].everyMs);
  return { writes: left("writes"), minute: left("minute"), hour: before.hour };
}

/**
 * Whether a host of GitHub's API is known to have these limits: GitHub's own are. An Enterprise Server has none
 * unless its administrator sets them (docs.github.com: rate limits are disabled by default), and then says so.
 */
export function hasLimits(apiUrl: string): boolean {
  const { hostname } = new URL(apiUrl);
  return hostname === "api.github.com" || hostname.endsWith(".ghe.com");
}
