import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { toError, UserError } from "../../core/errors.ts";
import { createPrivately, isBusy } from "./sqlite.ts";

/**
 * Takes a data directory for this process, creating it if need be; a UserError when another server
 * has it. The lock is SQLite's, on a file of its own: the system frees it however the process dies.
 */
export function lockDataDir(dir: string): { release(): void } {
  const file = join(dir, "server.lock");
  const handle = open(file);
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

function open(file: string): DatabaseSync {
  try {
    createPrivately(file);
    return new DatabaseSync(file, { timeout: 0 });
  } catch (thrown) {
    const { message } = toError(thrown);
    throw new UserError(`${file} cannot be used (${message}); remove it or set another DATA_DIR`, {
      cause: thrown,
    });
  }
}
