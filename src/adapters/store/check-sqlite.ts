import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { toError } from "../../core/errors.ts";
import { openingTrouble } from "../../core/store-trouble.ts";

/** Up to this size a file is read through at each start: that takes a fraction of a second. */
const WHOLE_BYTES = 128 * 1024 * 1024;
const SQLITE_CORRUPT = 11;

/**
 * Looks whether a SQLite file is sound, before anything is written to it; of a larger one only what it
 * opens with, unless `whole`. Throws what SQLite says when it is damaged.
 */
export function checkSqlite(file: string, { whole = false } = {}): void {
  if (!existsSync(file)) return;
  const size = statSync(file).size;
  if (size === 0) return;
  const handle = new DatabaseSync(file, { timeout: 5_000 });
  try {
    const look = whole || size <= WHOLE_BYTES ? "PRAGMA quick_check(1)" : "PRAGMA schema_version";
    const said = String(Object.values(handle.prepare(look).get() ?? {})[0]);
    if (look === "PRAGMA schema_version" || said === "ok") return;
    const words = said.replace(/\s+/g, " ").slice(0, 200);
    throw Object.assign(new Error(words), { code: "ERR_SQLITE_ERROR", errcode: SQLITE_CORRUPT });
  } catch (thrown) {
    // Whatever else keeps it from being read is told where it is opened.
    if (openingTrouble(toError(thrown))?.kind === "damaged") throw thrown;
  } finally {
    handle.close();
  }
}
