// How long after a job was stored on one process another one begins to look for it, by NOTIFY and by the poll
// that works without it, side by side in one run. `node bench/start.ts [rounds]`
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { createPostgresQueue } from "../src/adapters/queue/postgres.ts";
import { openStore } from "../src/adapters/store/store.ts";
import { silentLog } from "../test/support/log.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { aCommand, acceptJobs, aJob } from "../test/support/store-rows.ts";

const rounds = Number(process.argv[2] ?? 20);
const server = await startPostgres();
try {
  const url = await server.database();
  const place = { url, log: silentLog };
  const web = createPostgresQueue(place);
  const store = await openStore(place, web.announce);
  const worker = createPostgresQueue(place);
  const other = await openStore(place, worker.announce);
  await web.open({ works: false });
  await worker.open({ works: true });
  let claimed = Promise.withResolvers<number>();
  await worker.queue.start(2, async () => {
    const by = { owner: "w/1", worker: "w", leaseMs: 15_000, perRepository: 1_000_000 };
    const job = await other.claimNext(by);
    if (job !== null) claimed.resolve(performance.now());
    return job !== null;
  });
  const client = new pg.Client(url);
  await client.connect();

  async function measure(name: string, announced: boolean): Promise<void> {
    const took: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // At no fixed distance from the poll.
      await sleep(300 + Math.random() * 2_000);
      claimed = Promise.withResolvers();
      const id = `${name}-${round}`;
      const command = aCommand(id);
      const before = performance.now();
      if (announced) await acceptJobs(store, command, [aJob(id, command)]);
      else {
        await acceptJobs(store, command, [aJob(id, command, { state: "done" })]);
        await client.query("update jobs set state = 'queued' where id = $1", [id]);
      }
      took.push((await claimed.promise) - before);
    }
    const sorted = took.toSorted((a, b) => a - b);
    const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]?.toFixed(0);
    console.log(`${name}: claimed after ${at(0.5)} ms (median), ${at(1)} ms at most`);
  }

  await measure("by NOTIFY", true);
  await measure("by the poll", false);
  const { rows } = await client.query(
    "select application_name as who, count(*) as connections from pg_stat_activity where application_name like 'draftsmith%' group by 1 order by 1",
  );
  console.log(rows.map(({ who, connections }) => `${who}: ${connections} connections`).join(", "));
  await client.end();
  for (const each of [worker, web]) {
    await each.queue.stop();
    await each.close();
  }
  await store.close();
  await other.close();
} finally {
  await server.stop();
}
