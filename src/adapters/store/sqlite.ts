import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import {
  type Dialect,
  Kysely,
  SqliteAdapter,
  type SqliteDialectConfig,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import type { Database, Tables } from "./schema.ts";

const BUSY_MS = 5_000;
const SQLITE_BUSY = 5;
const SQLITE_READONLY_DBMOVED = 1032;

/** Opens or creates the SQLite file, its owner's alone; a commit is on the disk when it returns. */
export async function openSqlite(file: string): Promise<Omit<Database, "announce">> {
  createPrivately(file);
  const handle = new DatabaseSync(file, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
  try {
    // Two processes that turn a new file to WAL at once get "busy" without any waiting.
    await whenFree(() => handle.exec("PRAGMA journal_mode = WAL"));
    handle.exec("PRAGMA synchronous = FULL");
    // The machine's clock may be set while the server runs: no lease and no wait may move by that.
    const begun = Date.now() - performance.now();
    handle.function("steady_now", () => Math.round(begun + performance.now()));
  } catch (error) {
    handle.close();
    throw error;
  }
  return {
    engine: "sqlite",
    tables: new Kysely<Tables>({ dialect: dialect(handle, inPlace(file)) }),
    now: sql<number>`cast(steady_now() as integer)`,
    countingKey: (column) => column.primaryKey().autoIncrement(),
    // Every transaction has the write lock from its beginning.
    alone: () => Promise.resolve(),
  };
}

/** Whether SQLite refused because another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof Error && "errcode" in error)) return false;
  // The low byte is the kind; the rest says how it came about (SQLITE_BUSY_RECOVERY, for one).
  return (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}

/**
 * Creates the file with mode 0600, and its directory with 0700. A file that exists is not opened
 * here: closing it would drop the POSIX locks of this process's other connections to it.
 */
export function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    chmodSync(file, 0o600);
  }
}

/**
 * Throws when the file is not the one that was opened any more. In WAL mode SQLite goes on writing to a file
 * that was taken away, and whatever it was told is gone with the process.
 */
function inPlace(file: string): () => void {
  const { dev, ino } = statSync(file);
  return () => {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.ino === ino && found.dev === dev) return;
    const error = new Error(`${file} was taken away or replaced while it was open`);
    throw Object.assign(error, { code: "ERR_SQLITE_ERROR", errcode: SQLITE_READONLY_DBMOVED });
  };
}

/** SQLite's own waiting stops the event loop, and with it the heartbeats of every running job. */
async function whenFree(attempt: () => void): Promise<void> {
  const deadline = performance.now() + BUSY_MS;
  for (;;) {
    try {
      attempt();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
    }
    await setTimeout(2 + Math.random() * 10);
  }
}

function dialect(handle: DatabaseSync, insist: () => void): Dialect {
  return {
    createDriver: () => new NodeSqliteDriver(handle, insist),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (database) => new SqliteIntrospector(database),
  };
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #handle: DatabaseSync;
  readonly #insist: () => void;

  /** `insist` throws when nothing may be written. */
  constructor(handle: DatabaseSync, insist: () => void) {
    super({ database: kyselyDatabase(handle) });
    this.#handle = handle;
    this.#insist = insist;
  }

  /** Takes the write lock at once: one that reads first may find it can no longer write. */
  override async beginTransaction(): Promise<void> {
    this.#insist();
    try {
      this.#handle.exec("PRAGMA busy_timeout = 0");
      await whenFree(() => this.#handle.exec("BEGIN IMMEDIATE"));
    } finally {
      this.#handle.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    }
  }

  /** SQLite rolls back by itself when the disk is full; a second rollback would hide that error. */
  override async rollbackTransaction(): Promise<void> {
    if (this.#handle.isTransaction) this.#handle.exec("ROLLBACK");
  }
}

/** The part of better-sqlite3's interface that kysely uses, on node:sqlite. */
function kyselyDatabase(
  handle: DatabaseSync,
): Exclude<SqliteDialectConfig["database"], () => unknown> {
  return {
    close: () => handle.close(),
    prepare(text) {
      const statement = handle.prepare(text);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...parameters.map(bindable)),
        run: (parameters) => statement.run(...parameters.map(bindable)),
        iterate: (parameters) => statement.iterate(...parameters.map(bindable)),
      };
    },
  };
}

function bindable(value: unknown): SQLInputValue {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  throw new TypeError(`SQLite cannot store a ${typeof value}`);
}
