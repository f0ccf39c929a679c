/** Gives up a request that stands still. */
export interface IdleWatch {
  signal: AbortSignal;
  /** Bytes came. */
  touch(): void;
  /** Something of the reply came. */
  progress(): void;
  stop(): void;
}

/**
 * Aborts when no byte came for `idleMs`, or for `quietMs` nothing but what keeps a connection alive: that a
 * server may send forever.
 */
export function watchIdle(idleMs: number, quietMs: number): IdleWatch {
  const controller = new AbortController();
  const idle = setTimeout(() => controller.abort(new Error("idle")), idleMs);
  const quiet = setTimeout(() => controller.abort(new Error("quiet")), quietMs);
  return {
    signal: controller.signal,
    touch: () => {
      idle.refresh();
    },
    progress: () => {
      quiet.refresh();
    },
    stop: () => {
      clearTimeout(idle);
      clearTimeout(quiet);
      // Lets go of a response that was not read to its end.
      controller.abort();
    },
  };
}
