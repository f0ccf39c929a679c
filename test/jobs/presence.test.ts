import { expect, test } from "vitest";
import type { SharedStore } from "../../src/core/ports.ts";
import { tellPresence } from "../../src/jobs/presence.ts";
import { silentLog } from "../support/log.ts";
import { storeOn } from "../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../support/store-rows.ts";

test("a worker that has the mirror of a repository is left its jobs", async () => {
  const store = await storeOn();
  const told = Promise.withResolvers<void>();
  const shared: SharedStore = {
    ...store,
    async seen(worker) {
      await store.seen(worker);
      told.resolve();
    },
  };
  const workspaces = { mirrors: async () => [1] };
  const presence = tellPresence(
    { id: "there", slots: async () => 2, busy: () => 0 },
    { shared, workspaces, log: silentLog },
  );
  await told.promise;
  await presence.stop();
  const command = aCommand("a", {
    repo: { installationId: 7, id: 1, owner: "octo", name: "r1" },
  });
  await acceptJobs(store, command, [aJob("a-1", command)]);
  expect(await claimNext(store, { owner: "here/1", worker: "here" })).toBeNull();
  const taken = await claimNext(store, { owner: "there/1", worker: "there" });
  expect(taken).toMatchObject({ id: "a-1" });
});
