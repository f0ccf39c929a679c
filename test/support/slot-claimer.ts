// Claims jobs with eight slots, holds each for a while, ends it, and tells how many they were.
// Arguments: the place as JSON, name of the worker, jobs of one repository at a time, longest hold in ms.
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../../src/adapters/store/store.ts";
import { placeOf } from "./place.ts";

const [place = "", worker = "", cap = "1", longest = "0"] = process.argv.slice(2);
const store = await openStore(placeOf(place));
console.log("ready");
await new Promise((resolve) => process.stdin.once("data", resolve));
const perRepository = Number(cap);
const holdMs = Number(longest);
let claims = 0;
const begunAt = performance.now();
let lastAt = begunAt;
await Promise.all(
  Array.from({ length: 8 }, async (_, slot) => {
    for (let idle = 0; idle < 40; ) {
      const job = await store.claimNext({
        owner: `${worker}/${slot}`,
        worker,
        leaseMs: 15_000,
        perRepository,
      });
      if (job === null) {
        idle += 1;
        await sleep(10 + Math.random() * 10);
        continue;
      }
      idle = 0;
      claims += 1;
      const { fence } = job;
      await store.write(job.id, fence, { state: "running" }, [
        { type: "state", from: "queued", to: "running", reason: "" },
      ]);
      if (holdMs > 0) await sleep(Math.random() * holdMs);
      await store.write(job.id, fence, { state: "failed" }, [
        { type: "state", from: "running", to: "failed", reason: "" },
      ]);
      lastAt = performance.now();
    }
  }),
);
const memoryMb = process.memoryUsage().rss / 2 ** 20;
console.log(JSON.stringify({ claims, seconds: (lastAt - begunAt) / 1000, memoryMb }));
await store.close();
process.stdin.unref();
