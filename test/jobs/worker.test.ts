import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Job } from "../../src/core/job.ts";
import type { ClaimStore } from "../../src/core/ports.ts";
import { createWorker, type WorkerDeps } from "../../src/jobs/worker.ts";
import { silentLog } from "../support/log.ts";
import { storeOn } from "../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../support/store-rows.ts";

test("a stopped job whose end cannot be stored, while the next one is looked for, ends no server", async () => {
  const store = await storeOn();
  const command = aCommand("a");
  await acceptJobs(store, command, [aJob("a-1", command)]);
  await claimNext(store);
  await store.write("a-1", 1, { state: "running", startedAt: 5 });
  await store.release("a-1", 1, { inMs: 60_000, burn: false });
  await store.stop(["a-1"], { id: 5, login: "ada" });

  const looked = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<void>();
  const found = Promise.withResolvers<Job | null>();
  let looks = 0;
  const claims: ClaimStore = {
    ...store,
    claimNext(by) {
      looks += 1;
      if (looks === 1) return store.claimNext(by);
      looked.resolve();
      return found.promise;
    },
  };
  async function write(): Promise<never> {
    await looked.promise;
    failed.resolve();
    throw new Error("the store is in trouble");
  }
  const worker = createWorker({
    ...{ claims, stops: store, jobs: { ...store, write }, commands: store, log: silentLog },
    ...{ owner: "here/1", worker: "here", perRepository: 8, now: Date.now },
    redact: (text: string) => text,
    access: { forJob: () => ({ github: {}, end: () => undefined }) },
    ...{ model: {}, sandbox: {}, workspaces: {}, outbox: { valueOf: async () => null } },
  } as unknown as WorkerDeps);
  const unhandled: unknown[] = [];
  const hear = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", hear);
  try {
    worker.heed();
    await failed.promise;
    for (let turns = 0; turns < 10; turns += 1) await setImmediate();
    found.resolve(null);
    await worker.stop();
  } finally {
    process.off("unhandledRejection", hear);
  }
  expect(unhandled).toEqual([]);
});

test("a worker without a sandbox leaves jobs to another one, and takes them where it is alone", async () => {
  const store = await storeOn();
  let claimed = 0;
  const claims: ClaimStore = {
    ...store,
    async claimNext() {
      claimed += 1;
      return null;
    },
  };
  const sandbox = {
    room: async () => null,
    check: async () => ({ ok: false, remedy: "install bubblewrap" }),
  };
  const worker = createWorker({
    ...{ claims, stops: store, jobs: store, commands: store, log: silentLog, sandbox },
    ...{ owner: "here/1", worker: "here", perRepository: 8, full: () => null },
    killSwitch: { paused: async () => null },
  } as unknown as WorkerDeps);
  const there = { id: "there", slots: 2, busy: 2, mirrors: [] };
  await store.seen({ ...there, id: "here" });
  await store.seen(there);
  expect(await worker.serve()).toBe(false);
  expect(claimed).toBe(0);
  // The other one lost its sandbox, too: somebody has to say so.
  await store.seen({ ...there, slots: 0 });
  await worker.serve();
  expect(claimed).toBe(1);
  await worker.stop();
});
