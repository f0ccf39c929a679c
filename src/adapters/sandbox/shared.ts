/** Something that several hold at a time under one name: made for the first, released by the last. */
export function createShared<T extends { release(): Promise<void> }>(
  make: (name: string) => Promise<T>,
): (name: string) => Promise<T> {
  const held = new Map<string, { made: Promise<T>; holders: number; gone: Promise<void> | null }>();
  return async function join(name): Promise<T> {
    const known = held.get(name);
    // One that is being taken away is waited for, then made anew.
    if (known?.gone) {
      await known.gone;
      return join(name);
    }
    const entry = known ?? { made: make(name), holders: 0, gone: null };
    held.set(name, entry);
    entry.holders += 1;
    const made = await entry.made.catch((error: unknown) => {
      if (held.get(name) === entry) held.delete(name);
      throw error;
    });
    let released = false;
    return {
      ...made,
      async release() {
        if (released) return;
        released = true;
        entry.holders -= 1;
        if (entry.holders > 0) return;
        entry.gone = made.release().finally(() => {
          if (held.get(name) === entry) held.delete(name);
        });
        await entry.gone;
      },
    };
  };
}
