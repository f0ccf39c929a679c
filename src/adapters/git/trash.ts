import { randomUUID } from "node:crypto";
import { readdir, rename } from "node:fs/promises";
import path from "node:path";
import { toError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { removeAll } from "./layout.ts";
import { unlessAbsent } from "./unless-absent.ts";

/** Where trees go that a job left. To remove a million files takes a while, and nobody waits for it. */
export interface Trash {
  /** Takes a directory out of the way at once; it is removed later. One that is not there is fine. */
  discard(dir: string): Promise<void>;
  /** Removes what an earlier server left. */
  empty(): Promise<void>;
}

/** A trash in `dir`, on the same disk as what goes there: one removal at a time, in processes of their own. */
export function createTrash(dir: string, log: Log): Trash {
  let queue: Promise<void> = Promise.resolve();

  function remove(name: string): void {
    queue = queue
      .then(() => removeAll(path.join(dir, name)))
      .catch((thrown: unknown) => {
        // What stays is tried again at the next start.
        log.warn({ err: toError(thrown), name }, "a directory could not be removed");
      });
  }

  return {
    async discard(from) {
      const name = randomUUID();
      if ((await unlessAbsent(rename(from, path.join(dir, name)).then(() => true))) === null)
        return;
      remove(name);
    },
    async empty() {
      for (const name of await readdir(dir)) remove(name);
    },
  };
}
