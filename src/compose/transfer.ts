import { existsSync } from "node:fs";
import path from "node:path";
import { lockDataDir } from "../adapters/store/lock.ts";
import type { StorePlace } from "../adapters/store/store.ts";
import { exportStore, importStore } from "../adapters/store/transfer.ts";
import type { Tally } from "../adapters/store/transfer-file.ts";
import type { AppConfig } from "../config.ts";
import { toError, UserError } from "../core/errors.ts";
import { createRedactor } from "../core/redact.ts";
import { createLog } from "../log.ts";

type Counts = Record<string, Tally>;

/** Moves all rows between the database of the settings and a file; each gives what it moved. */
export function composeTransfer(config: AppConfig): {
  /** Where the rows lie, for people. */
  name: string;
  exportTo(file: string): Promise<Counts>;
  importFrom(file: string, options: { replace: boolean }): Promise<Counts>;
} {
  const { databaseUrl: url, dataDir } = config;
  const database = path.join(dataDir, "draftsmith.db");
  const log = createLog(
    "error",
    createRedactor(() => []),
  );
  const place: StorePlace = url === null ? { file: database } : { url, log };
  const name = url === null ? database : "the database of DATABASE_URL";

  /** SQLite's file belongs to one process at a time. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    const lock = url === null ? lockDataDir(dataDir) : null;
    try {
      return await work();
    } catch (thrown) {
      throw new UserError(`${name}: ${toError(thrown).message}`, { cause: thrown });
    } finally {
      lock?.release();
    }
  }

  return {
    name,
    exportTo(file) {
      if (url === null && !existsSync(database)) {
        throw new UserError(
          `there is no ${database}; set DATA_DIR or DATABASE_URL as the server has it`,
        );
      }
      return alone(() => exportStore(place, file));
    },
    importFrom: (file, options) => alone(() => importStore(place, file, options)),
  };
}
