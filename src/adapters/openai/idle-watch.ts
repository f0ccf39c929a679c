/** Gives up a request that stands still. */
export interface IdleWatch {
  signal: AbortSignal;
  /** Bytes came. */
  touch(): void;
  /** Something of the reply came. */
  progress(): void;
  /** The reply has come to its end, with its usage or without: what else comes is waited for no longer than this. */
  ended(counted: boolean): void;
  stop(): void;
}

/**
 * Aborts when no byte came for `idleMs`, or for `quietMs` nothing but what keeps a connection alive: that a
 * server may send forever. Behind the end of a reply the usage may come for `tailMs`, and behind that the end of
 * the stream for a fifth of it: some servers keep the connection open.
 */
export function watchIdle(idleMs: number, quietMs: number, tailMs: number): IdleWatch {
  const controller = new AbortController();
  const idle = setTimeout(() => controller.abort(new Error("idle")), idleMs);
  const quiet = setTimeout(() => controller.abort(new Error("quiet")), quietMs);
  let tail: NodeJS.Timeout | null = null;
  let waitsForUsage = false;
  return {
    signal: controller.signal,
    touch: () => {
      idle.refresh();
    },
    progress: () => {
      quiet.refresh();
    },
    ended: (counted) => {
      if (tail !== null && !(counted && waitsForUsage)) return;
      clearTimeout(tail ?? undefined);
      waitsForUsage = !counted;
      const after = counted ? tailMs / 5 : tailMs;
      tail = setTimeout(() => controller.abort(new Error("ended")), after);
    },
    stop: () => {
      clearTimeout(tail ?? undefined);
      clearTimeout(idle);
      clearTimeout(quiet);
      // Lets go of a response that was not read to its end.
      controller.abort();
    },
  };
}
