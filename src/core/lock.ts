/** Runs `work` when nothing else of this key runs; others of the key wait in order. */
export type Lock = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** A mutex per key, good for one process (the data directory is locked to one server). */
export function createLock(): Lock {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = tails.get(key) ?? Promise.resolve();
    // The one before tells its own caller how it ended.
    const result = before.then(work, work);
    tails.set(key, result);
    const forget = () => {
      if (tails.get(key) === result) tails.delete(key);
    };
    result.then(forget, forget);
    return result;
  };
}
