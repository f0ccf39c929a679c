import { setTimeout as sleep } from "node:timers/promises";
import type { KyselyTransactionLike } from "pg-boss";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { createLocalQueue } from "../../../src/adapters/queue/local.ts";
import { createPostgresQueue } from "../../../src/adapters/queue/postgres.ts";
import { openPostgres } from "../../../src/adapters/store/postgres.ts";
import type { Queue } from "../../../src/core/ports.ts";
import { silentLog } from "../../support/log.ts";
import { onPostgres } from "../../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres.ts";

let server: Promise<PostgresServer> | null = null;
afterAll(async () => (await server)?.stop());

interface Opened {
  queue: Queue;
  /** Announces so many jobs more. */
  announce(jobs: number): Promise<void>;
}

/** A queue of the kind this run is for; what is still under way at the end of the test ends then. */
async function openQueue(): Promise<Opened> {
  if (!onPostgres) {
    const queue = createLocalQueue({ log: silentLog });
    onTestFinished(() => queue.stop());
    return { queue, announce: async () => queue.wake() };
  }
  server ??= startPostgres();
  const url = await (await server).database();
  const { queue, announce, open, close } = createPostgresQueue({ url, log: silentLog });
  await open({ works: true });
  const { tables } = openPostgres(url, silentLog);
  onTestFinished(async () => {
    await queue.stop();
    await close();
    await tables.destroy();
  });
  return {
    queue,
    announce: (jobs) =>
      tables
        .transaction()
        .execute((transaction) => announce(transaction as unknown as KyselyTransactionLike, jobs)),
  };
}

/** Jobs that are claimed by taking them out of a list; each takes until it is let go. */
function jobs(first: number) {
  let free = first;
  let busy = 0;
  const seen = { served: 0, most: 0, asked: 0 };
  const held: (() => void)[] = [];
  return {
    seen,
    held,
    add: (more: number) => {
      free += more;
    },
    serve: async (hold = false) => {
      seen.asked += 1;
      if (free === 0) return false;
      free -= 1;
      busy += 1;
      seen.most = Math.max(seen.most, busy);
      if (hold) await new Promise<void>((resolve) => held.push(resolve));
      else await sleep(5);
      busy -= 1;
      seen.served += 1;
      return true;
    },
  };
}

test("every announced job is served, and never more at once than there are slots", async () => {
  const { queue, announce } = await openQueue();
  const work = jobs(0);
  await queue.start(3, () => work.serve());
  for (let round = 0; round < 10; round += 1) {
    work.add(5);
    await announce(5);
  }
  await vi.waitFor(() => expect(work.seen.served).toBe(50), 15_000);
  expect(work.seen.most).toBe(3);
});

test("what was there before the start is served, whether somebody announced it or not", async () => {
  const { queue, announce } = await openQueue();
  const work = jobs(12);
  await announce(2);
  queue.wake();
  expect(work.seen.asked).toBe(0);
  await queue.start(4, () => work.serve());
  await vi.waitFor(() => expect(work.seen.served).toBe(12), 10_000);
});

test("jobs that nobody announced fill all slots", async () => {
  const { queue } = await openQueue();
  const work = jobs(0);
  await queue.start(4, () => work.serve(true));
  work.add(9);
  await vi.waitFor(() => expect(work.held).toHaveLength(4), 10_000);
  expect(work.seen.most).toBe(4);
  for (const end of work.held) end();
  await vi.waitFor(() => expect(work.held).toHaveLength(8), 10_000);
  for (const end of work.held) end();
  await vi.waitFor(() => expect(work.held).toHaveLength(9), 10_000);
  for (const end of work.held) end();
});

test("a job that comes while all slots are taken is served when one becomes free", async () => {
  const { queue, announce } = await openQueue();
  const work = jobs(2);
  await queue.start(2, () => work.serve(true));
  await vi.waitFor(() => expect(work.held).toHaveLength(2), 10_000);
  work.add(1);
  await announce(1);
  await sleep(300);
  expect(work.held).toHaveLength(2);
  work.held[0]?.();
  await vi.waitFor(() => expect(work.held).toHaveLength(3), 10_000);
  for (const end of work.held) end();
});

test("after a serve that throws the others go on, and so does that slot", async () => {
  const { queue, announce } = await openQueue();
  const work = jobs(0);
  let failures = 3;
  await queue.start(2, () => {
    if (failures === 0) return work.serve();
    failures -= 1;
    return Promise.reject(new Error("the store is away"));
  });
  work.add(6);
  await announce(6);
  await vi.waitFor(() => expect(work.seen.served).toBe(6), 15_000);
  expect(failures).toBe(0);
});

test("nothing to do is asked seldom, not in a circle", async () => {
  const { queue } = await openQueue();
  const work = jobs(0);
  await queue.start(4, () => work.serve());
  await sleep(1_500);
  expect(work.seen.asked).toBeLessThan(20);
});

test("stop waits for what is under way and takes nothing more", async () => {
  const { queue, announce } = await openQueue();
  const work = jobs(5);
  await queue.start(1, () => work.serve(true));
  await vi.waitFor(() => expect(work.held).toHaveLength(1), 10_000);
  let stopped = false;
  const stopping = queue.stop().then(() => {
    stopped = true;
  });
  await announce(1);
  await sleep(200);
  expect(stopped).toBe(false);
  work.held[0]?.();
  await stopping;
  expect(work.seen.served).toBe(1);
  expect(work.held).toHaveLength(1);
});

test("stop does not wait for a store that is away", async () => {
  const { queue } = await openQueue();
  let asked = 0;
  await queue.start(2, () => {
    asked += 1;
    return Promise.reject(new Error("the store is away"));
  });
  await vi.waitFor(() => expect(asked).toBeGreaterThan(2), 10_000);
  const before = performance.now();
  await queue.stop();
  // Its next try may be ten seconds away.
  expect(performance.now() - before).toBeLessThan(5_000);
  const last = asked;
  await sleep(1_200);
  expect(asked).toBe(last);
});
