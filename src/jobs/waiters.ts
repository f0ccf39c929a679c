/** Somebody who waits until an act is done. */
interface Waiter<H> {
  holder: H;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Who waits for which act, by its key. */
export interface Waiters<H> {
  add(key: string, waiter: Waiter<H>): void;
  /** It waits no more, whatever became of the act. */
  remove(key: string, waiter: Waiter<H>): void;
  of(key: string): Waiter<H>[];
  keys(): string[];
  /** The act is done: all who wait get its value. */
  resolve(key: string, value: unknown): void;
  reject(key: string, error: Error): void;
}

/** Makes an empty list of those who wait. */
export function createWaiters<H>(): Waiters<H> {
  const waiters = new Map<string, Waiter<H>[]>();

  function settle(key: string, how: (waiter: Waiter<H>) => void): void {
    const waiting = waiters.get(key) ?? [];
    waiters.delete(key);
    for (const waiter of waiting) how(waiter);
  }

  return {
    add: (key, waiter) => void waiters.set(key, [...(waiters.get(key) ?? []), waiter]),
    remove(key, waiter) {
      const others = (waiters.get(key) ?? []).filter((each) => each !== waiter);
      if (others.length > 0) waiters.set(key, others);
      else waiters.delete(key);
    },
    of: (key) => waiters.get(key) ?? [],
    keys: () => [...waiters.keys()],
    resolve: (key, value) => settle(key, (waiter) => waiter.resolve(value)),
    reject: (key, error) => settle(key, (waiter) => waiter.reject(error)),
  };
}
