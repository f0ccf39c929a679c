import PQueue from "p-queue";
import { fromKysely, type KyselyTransactionLike, PgBoss } from "pg-boss";
import { toError } from "../core/errors.ts";
import type { Log, Queue } from "../core/ports.ts";

const JOBS = "jobs";
/** How soon to look for jobs that nobody announced: those that wait for a time, or were left behind. */
const LOOK_MS = 2_000;
/** How soon to go on after the store failed. */
const RETRY_MS = 10_000;
/** The engine keeps a call as long as a job may take. */
const LONGEST_S = 24 * 60 * 60;
/** Without a sign of life for so long the engine calls another worker; it allows no less than 10. */
const HEARTBEAT_S = 10;
const DAY_S = 24 * 60 * 60;

/**
 * A queue of many processes on PostgreSQL, by pg-boss. Each stored job sends one call, in the transaction
 * that stores it; a worker that is called claims the job whose turn it is. `announce` is for the store.
 */
export function createPostgresQueue({ url, log }: { url: string; log: Log }): {
  queue: Queue;
  announce: (transaction: KyselyTransactionLike, jobs: number) => Promise<void>;
  open: (role: { works: boolean }) => Promise<void>;
  close: () => Promise<void>;
} {
  let boss: PgBoss | null = null;
  let slots: PQueue | null = null;
  let serve: () => Promise<boolean> = async () => false;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function engine(): PgBoss {
    if (boss === null) throw new Error("the queue is not open");
    return boss;
  }

  async function serveOnce(): Promise<boolean> {
    if (stopped) return false;
    try {
      return await serve();
    } catch (thrown) {
      log.error({ err: toError(thrown) }, "a job could not be settled; going on in 10 s");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      return false;
    }
  }

  function look(): void {
    if (slots === null || stopped || slots.pending + slots.size >= slots.concurrency) return;
    void slots.add(serveOnce);
  }

  return {
    async open({ works }) {
      boss = new PgBoss({
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
      });
      boss.on("error", (error) => log.warn({ err: error }, "the queue had trouble"));
      boss.on("warning", (warning) => log.debug({ warning }, "the queue warns"));
      await boss.start();
      await boss.createQueue(JOBS, {
        notify: true,
        heartbeatSeconds: HEARTBEAT_S,
        expireInSeconds: LONGEST_S,
        retryLimit: 3,
        deleteAfterSeconds: DAY_S,
      });
    },

    async announce(transaction, jobs) {
      const calls = Array.from({ length: jobs }, () => ({}));
      await engine().insert(JOBS, calls, { db: fromKysely(transaction) });
    },

    queue: {
      async start(concurrency, given) {
        const own = new PQueue({ concurrency });
        slots = own;
        serve = given;
        await engine().work(
          JOBS,
          {
            localConcurrency: concurrency,
            pollingIntervalSeconds: LOOK_MS / 1000,
            notifyPollingIntervalSeconds: LOOK_MS / 1000,
          },
          async () => {
            await own.add(serveOnce);
          },
        );
        timer = setInterval(look, LOOK_MS);
        // What was left behind needs no call; one slot after the other takes of it.
        for (let slot = 0; slot < concurrency; slot += 1) look();
      },
      // Whoever stores a job announces it to all.
      wake: () => undefined,
      async stop() {
        stopped = true;
        clearInterval(timer);
        await slots?.onIdle();
      },
    },

    async close() {
      await boss?.stop({ graceful: true, timeout: 5_000 });
    },
  };
}
