import { randomUUID } from "node:crypto";
import { renameSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { toError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { removeAll } from "./layout.ts";
import { unlessAbsent } from "./unless-absent.ts";

/** Where trees go that a job left. To remove a million files takes a while, and nobody waits for it. */
export interface Trash {
  /** Takes a directory out of the way at once; it is removed later. One that is not there is fine. */
  discard(dir: string): Promise<void>;
  /** Removes what an earlier server left, and what could not be removed before. */
  empty(): Promise<void>;
}

/** A trash in `dir`, on the same disk as what goes there: one removal at a time, in processes of their own. */
export function createTrash(dir: string, log: Log): Trash {
  let queue: Promise<void> = Promise.resolve();
  const queued = new Set<string>();

  function remove(name: string): void {
    if (queued.has(name)) return;
    queued.add(name);
    queue = queue
      .then(() => removeAll(path.join(dir, name)))
      .catch((thrown: unknown) => {
        // What stays is tried again by the janitor.
        log.warn({ err: toError(thrown), name }, "a directory could not be removed");
      })
      .finally(() => queued.delete(name));
  }

  return {
    async discard(from) {
      const name = randomUUID();
      // At once: whoever looked whether it is in use has nothing happen in between.
      const move = async () => {
        renameSync(from, path.join(dir, name));
        return true;
      };
      if ((await unlessAbsent(move())) === null) return;
      remove(name);
    },
    async empty() {
      for (const name of await readdir(dir)) remove(name);
    },
  };
}
