/** Clients that are remembered at the same time; the one that was quiet longest is forgotten first. */
const MOST_CLIENTS = 10_000;

/** A token bucket per client. */
export interface Buckets {
  /** Takes one token; false when the bucket is empty. */
  take(client: string): boolean;
  /** Whether a token is left. */
  has(client: string): boolean;
  /** Whole seconds until the next token, for a Retry-After header; at least 1. */
  retryAfter(client: string): number;
}

/** Buckets of `capacity` tokens that fill again by `perSecond`. */
export function createBuckets(options: {
  capacity: number;
  perSecond: number;
  now: () => number;
}): Buckets {
  const { capacity, perSecond, now } = options;
  const buckets = new Map<string, { left: number; at: number }>();

  function level(client: string): number {
    const bucket = buckets.get(client);
    if (!bucket) return capacity;
    return Math.min(capacity, bucket.left + ((now() - bucket.at) / 1000) * perSecond);
  }

  return {
    take(client) {
      const left = level(client);
      // Last in a Map is what was set last.
      buckets.delete(client);
      buckets.set(client, { left: left >= 1 ? left - 1 : left, at: now() });
      const [quietest] = buckets.keys();
      if (buckets.size > MOST_CLIENTS && quietest !== undefined) buckets.delete(quietest);
      return left >= 1;
    },
    has: (client) => level(client) >= 1,
    retryAfter: (client) => Math.max(1, Math.ceil((1 - level(client)) / perSecond)),
  };
}
