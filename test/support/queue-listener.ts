// A worker's queue as a process of its own: says "asked" when it looked and there was nothing, and "claimed <id>"
// when there was a job. Arguments: the URL of the database, and how soon it looks unasked, in ms.
import { createPostgresQueue } from "../../src/adapters/queue/postgres.ts";
import { openStore } from "../../src/adapters/store/store.ts";
import { silentLog } from "./log.ts";

const [url = "", lookMs = "0"] = process.argv.slice(2);
const place = { url, log: silentLog };
const { queue, announce, open } = createPostgresQueue({ ...place, lookMs: Number(lookMs) });
const store = await openStore(place, announce);
await open({ works: true });
await queue.start(1, async () => {
  const by = { owner: "listener/1", worker: "listener", leaseMs: 60_000, perRepository: 1_000 };
  const job = await store.claimNext(by);
  console.log(job === null ? "asked" : `claimed ${job.id}`);
  return job !== null;
});
