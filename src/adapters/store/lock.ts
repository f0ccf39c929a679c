import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UserError } from "../../core/errors.ts";
import { createPrivately, isBusy } from "./sqlite.ts";

/**
 * Takes a data directory for this process, creating it if need be; a UserError when another server
 * has it. The lock is SQLite's, on a file of its own: the system frees it however the process dies.
 */
export function lockDataDir(dir: string): { release(): void } {
  const file = join(dir, "server.lock");
  createPrivately(file);
  const handle = new DatabaseSync(file, { timeout: 0 });
  try {
    handle.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    handle.close();
    if (!isBusy(error)) throw error;
    throw new UserError(
      `another Draftsmith server is using DATA_DIR ${dir}; stop it or set another DATA_DIR`,
      { cause: error },
    );
  }
  return { release: () => handle.close() };
}
