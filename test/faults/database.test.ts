import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { join } from "../support/fleet.ts";
import { silentLog } from "../support/log.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { openWorld, plays, taskOf, type World } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { nightly } from "./size.ts";

const CONNECTIONS = 40;
const LONG = { timeout: 120_000 * PATIENCE };
const SOON = { timeout: 40_000 * PATIENCE, interval: 100 };

let server: PostgresServer;
let world: World;
let end: () => Promise<void>;
let url = "";
/** When the model was asked for the second reply about the task that waits; it answers when told. */
let asked = Promise.withResolvers<void>();
let answered = Promise.withResolvers<void>();

const write = (file: string) => ({ name: "write", arguments: { path: file, content: "x\n" } });
const play = plays({
  waits: { calls: [write("a.txt"), write("b.txt")], report: "Add a and b\n\nAs asked." },
  quick: { calls: [write("c.txt")], report: "Add c\n\nAs asked." },
});

beforeAll(async () => {
  server = await startPostgres(["-c", `max_connections=${CONNECTIONS}`]);
  url = await server.database();
  ({ world, end } = await openWorld({
    // Only the webhooks are this process's, the work is another's.
    launcher: () => ["sh", "-c", 'exec "$0" "$@" web'],
    env: { DATABASE_URL: url, OPENAI_API_KEY: "", OPENAI_BASE_URL: "" },
    model: async (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (taskOf(request).includes("waits") && replies === 1) {
        asked.resolve();
        await answered.promise;
      }
      return play(request);
    },
  }));
});
afterAll(async () => {
  await end();
  await server.stop();
});
beforeEach(() => {
  asked = Promise.withResolvers();
  answered = Promise.withResolvers();
});

const sql = (text: string) => sqlOn({ url, log: silentLog }, text);
const OURS =
  "from pg_stat_activity where datname = current_database() and application_name like 'draftsmith%'";
const endAll = () => sql(`select pg_terminate_backend(pid) ${OURS}`);

/** A worker, and a job of it that waits for the model. */
async function startWork() {
  const worker = await join(world, ["worker"], { DATABASE_URL: url });
  const issue = world.issue({ title: "Database", body: "Please." });
  await world.say("/codex waits", issue);
  await asked.promise;
  return { worker, issue, before: world.model.requests.length };
}

/** Says something that the server cannot take, and gives what is to be delivered again. */
async function refused(issue: number): Promise<() => Promise<void>> {
  const body = "/codex quick";
  const said = await world.github.comment({ repository: "shop", issue, login: "ada", body });
  expect(said.webhook.status).toBe(503);
  return async () => {
    await vi.waitFor(async () => {
      const again = await world.github.redeliver("shop", said.comment, said.webhook.guid);
      expect(again.status).toBe(200);
    }, SOON);
  };
}

/** Waits until a process has said something. */
async function logged(log: () => string, words: string): Promise<void> {
  await vi.waitFor(() => expect(log()).toContain(words), SOON);
}

/** What was said before and during the fault has led to a pull request each, and no reply was paid for twice. */
async function allDone({ issue, before }: { issue: number; before: number }): Promise<void> {
  await world.ended(issue, 2);
  expect(world.pulls().filter(({ head }) => head.startsWith(`codex/${issue}-`))).toHaveLength(2);
  expect(world.answers(issue)).toHaveLength(2);
  // The report of the one, and both replies of the other.
  expect(world.model.requests).toHaveLength(before + 3);
  expect(world.child().exitCode).toBeNull();
}

it(
  "database-01 PostgreSQL turns read-only while a job works, as after a failover: webhooks get 503, the reply that came is kept, and all ends once",
  LONG,
  async () => {
    const work = await startWork();
    const [{ name } = {}] = await sql("select current_database() as name");
    await sql(`alter database ${name} set default_transaction_read_only = on`);
    await endAll();
    const deliver = await refused(work.issue);
    await logged(() => world.log(), "PostgreSQL takes no writes there");
    answered.resolve();
    await logged(work.worker.log, "a write waits");
    const writer = new pg.Client({ connectionString: url });
    await writer.connect();
    await writer.query("set default_transaction_read_only = off");
    await writer.query(`alter database ${name} reset default_transaction_read_only`);
    await writer.end();
    await endAll();
    await deliver();
    await allDone(work);
  },
);

// Shorter cuts are played by test/e2e/database-away.test.ts every time.
if (nightly) {
  it(
    "database-02 PostgreSQL is restarted while a job works: nothing is lost, and no reply is paid for twice",
    LONG,
    async () => {
      const work = await startWork();
      await server.restart();
      answered.resolve();
      await world.say("/codex quick", work.issue);
      await allDone(work);
    },
  );
}

it(
  "database-03 the connection that hears of new jobs is dead without a word: a job starts all the same",
  LONG,
  async () => {
    const worker = await join(world, ["worker"], { DATABASE_URL: url });
    const [{ pid } = {}] = await vi.waitFor(async () => {
      const found = await sql(`select pid ${OURS} and query ilike 'listen%'`);
      expect(found).not.toEqual([]);
      return found;
    }, SOON);
    // As behind a firewall that forgot it: the connection stands, and carries nothing.
    process.kill(Number(pid), "SIGSTOP");
    try {
      const issue = world.issue({ title: "Deaf", body: "Please." });
      const said = performance.now();
      await world.say("/codex quick", issue);
      await world.ended(issue);
      console.info(
        `said and done without being heard in ${Math.round(performance.now() - said)} ms`,
      );
      expect(worker.child.exitCode).toBeNull();
    } finally {
      process.kill(Number(pid), "SIGCONT");
    }
  },
);

it(
  "database-04 others take all connections that PostgreSQL allows: webhooks get 503, and all ends when there is room",
  LONG,
  async () => {
    const work = await startWork();
    const taken: pg.Client[] = [];
    /** Takes what is free; false when nothing was. */
    async function take(): Promise<boolean> {
      const client = new pg.Client({ connectionString: url, application_name: "crowd" });
      client.on("error", () => undefined);
      const got = await client.connect().then(
        () => true,
        () => false,
      );
      if (got) taken.push(client);
      return got;
    }
    const crowded = async () => {
      await taken[0]?.query(`select pg_terminate_backend(pid) ${OURS}`);
      for (let free = true; free; ) free = await take();
      const rows = await taken[0]?.query(`select 1 ${OURS}`);
      return rows?.rowCount === 0;
    };
    await take();
    while (!(await crowded())) await delay(10);
    const deliver = await refused(work.issue);
    await logged(() => world.log(), "PostgreSQL has no room for more");
    answered.resolve();
    await logged(work.worker.log, "a write waits");
    await Promise.all(taken.map((client) => client.end()));
    await deliver();
    await allDone(work);
  },
);
