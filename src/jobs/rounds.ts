/** Work that is done again and again, and never beside itself. */
export interface Rounds {
  start(): void;
  /** Begins a round now, or the next one as soon as the one under way has ended. */
  now(): void;
  /** Begins no more; resolves when the round under way has ended. */
  stop(): Promise<void>;
}

/**
 * Does a round every so many ms from `start` until `stop`; one that takes longer lets the next one wait. `round` sees to
 * its own failures. The process does not live on for it.
 */
export function createRounds(everyMs: number, round: () => Promise<void>): Rounds {
  let under: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  function begin(): void {
    if (stopped || under !== null) return;
    again = false;
    under = round().finally(() => {
      under = null;
      if (again) begin();
    });
  }

  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      timer = setInterval(begin, everyMs);
      timer.unref();
    },
    now() {
      // The round under way may have looked already.
      again = true;
      begin();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await under;
    },
  };
}
