import PQueue from "p-queue";
import { fromKysely, type KyselyTransactionLike, PgBoss } from "pg-boss";
import { toError, UserError } from "../../core/errors.ts";
import type { Log, Queue } from "../../core/ports.ts";
import { createSteady } from "./steady.ts";

const JOBS = "jobs";
/** How soon to look for jobs that nobody announced: those that wait for a time, or were left behind. */
const LOOK_MS = 2_000;
/** After this long a slot that looks for a job has one, and there may be more. */
const TAKEN_MS = 100;
const LONGEST_RETRY_MS = 3_000;
/** No statement takes longer unless the database is gone; its connection is given up. */
const STATEMENT_MS = 30_000;
/** The engine keeps a call as long as a job may take. */
const LONGEST_S = 24 * 60 * 60;
/** Without a sign of life for so long the engine calls another worker; it allows no less than 10. */
const HEARTBEAT_S = 10;
const DAY_S = 24 * 60 * 60;

/**
 * A queue of many processes on PostgreSQL, by pg-boss. Each stored job sends one call, in the transaction
 * that stores it; a worker that is called claims the job whose turn it is. `announce` is for the store.
 * `lookMs`: how soon it looks for what nobody announced, and for what was announced unheard.
 */
export function createPostgresQueue({
  url,
  log,
  lookMs = LOOK_MS,
}: {
  url: string;
  log: Log;
  lookMs?: number;
}): {
  queue: Queue;
  announce: (transaction: KyselyTransactionLike, jobs: number) => Promise<void>;
  open: (role: { works: boolean }) => Promise<void>;
  close: () => Promise<void>;
} {
  let boss: PgBoss | null = null;
  let slots: PQueue | null = null;
  let serve: () => Promise<boolean> = async () => false;
  let timer: NodeJS.Timeout | undefined;
  const stopped = new AbortController();

  function engine(): PgBoss {
    if (boss === null) throw new Error("the queue is not open");
    return boss;
  }

  /** What one slot does: job after job until there is none. */
  async function work(): Promise<void> {
    for (let more = true; more && !stopped.signal.aborted; ) {
      const taken = setTimeout(look, TAKEN_MS);
      more = await serve().finally(() => clearTimeout(taken));
    }
  }

  function look(): void {
    if (slots === null || stopped.signal.aborted) return;
    if (slots.pending + slots.size < slots.concurrency) void slots.add(work);
  }

  return {
    async open({ works }) {
      const opened = new PgBoss({
        connectionString: url,
        application_name: "draftsmith-queue",
        schema: "draftsmith_queue",
        max: works ? 4 : 2,
        useListenNotify: works,
        supervise: works,
        schedule: works,
        superviseIntervalSeconds: 1,
        monitorIntervalSeconds: 1,
        openTelemetry: { enabled: false },
        // Handed on to pg: else a call to a server that is gone without a word waits for a quarter of an hour.
        ...{ query_timeout: STATEMENT_MS, keepAlive: true },
      });
      // Some come as mere copies of an error, of which a log would take no words.
      opened.on("error", ({ message }) => log.warn({ reason: message }, "the queue had trouble"));
      opened.on("warning", (warning) => log.debug({ warning }, "the queue warns"));
      try {
        await opened.start();
        await opened.createQueue(JOBS, {
          notify: true,
          heartbeatSeconds: HEARTBEAT_S,
          expireInSeconds: LONGEST_S,
          retryLimit: 3,
          deleteAfterSeconds: DAY_S,
        });
      } catch (thrown) {
        const error = toError(thrown);
        throw new UserError(
          `cannot use the database of DATABASE_URL for the queue: ${error.message}`,
          { cause: error },
        );
      }
      boss = opened;
    },

    async announce(transaction, jobs) {
      const calls = Array.from({ length: jobs }, () => ({}));
      await engine().insert(JOBS, calls, { db: fromKysely(transaction) });
    },

    queue: {
      async start(concurrency, given) {
        const own = new PQueue({ concurrency });
        slots = own;
        const { signal } = stopped;
        serve = createSteady(given, { longestMs: LONGEST_RETRY_MS, stopped: signal, log });
        await engine().work(
          JOBS,
          {
            localConcurrency: concurrency,
            pollingIntervalSeconds: lookMs / 1000,
            notifyPollingIntervalSeconds: lookMs / 1000,
          },
          async () => {
            await own.add(work);
          },
        );
        timer = setInterval(look, lookMs);
        // What was left behind needs no call.
        look();
      },
      // Whoever stores a job announces it to all.
      wake: () => undefined,
      async stop() {
        stopped.abort();
        clearInterval(timer);
        // Calls that come from now on are for others.
        await boss
          ?.offWork(JOBS, { wait: false })
          .catch((thrown) => log.warn({ err: toError(thrown) }, "the queue had trouble"));
        await slots?.onIdle();
      },
    },

    async close() {
      await boss?.stop({ graceful: true, timeout: 5_000 });
    },
  };
}
