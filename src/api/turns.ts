/** Lets a bounded number of things happen at the same time; the others wait in line. */
export interface Turns {
  /** Waits for a turn, `patienceMs` at most; false when none came, at once when too many wait. */
  take(patienceMs: number): Promise<boolean>;
  /** Ends a turn. */
  give(): void;
}

/** A line of at most `mostWaiting` in front of `most` turns. */
export function createTurns(most: number, mostWaiting: number): Turns {
  let free = most;
  const line = new Set<() => void>();
  return {
    take(patienceMs) {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(true);
      }
      if (line.size >= mostWaiting) return Promise.resolve(false);
      return new Promise((resolve) => {
        const called = () => {
          clearTimeout(timer);
          line.delete(called);
          resolve(true);
        };
        const timer = setTimeout(() => {
          line.delete(called);
          resolve(false);
        }, patienceMs);
        line.add(called);
      });
    },
    give() {
      const [next] = line;
      if (next) next();
      else free += 1;
    },
  };
}
