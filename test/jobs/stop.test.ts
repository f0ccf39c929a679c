import { expect, test } from "vitest";
import { createOutbox } from "../../src/jobs/outbox.ts";
import { stopJobs } from "../../src/jobs/stop.ts";
import { silentLog } from "../support/log.ts";
import { storeOn } from "../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob } from "../support/store-rows.ts";

test("a stop whose webhook comes late ends nothing that was asked for after it", async () => {
  const store = await storeOn();
  const outbox = createOutbox({
    store,
    owner: "here/1",
    byGit: true,
    follow: async () => null,
    killSwitch: { paused: async () => null },
    // Nothing is told to GitHub here: the rows are looked at.
    performer: { perform: () => new Promise(() => undefined) },
    redact: (text) => text,
    now: Date.now,
    log: silentLog,
  });
  const before = aCommand("before", { askedAt: "2026-03-01T10:00:00Z" });
  const after = aCommand("after", { askedAt: "2026-03-01T10:00:09Z" });
  for (const command of [before, after]) {
    await acceptJobs(store, command, [aJob(`${command.id}-1`, command)]);
  }
  const { repo, issue } = before;
  const request = { repo, issue, job: null, actor: { id: 5, login: "ada" } };
  const deps = { stops: store, commands: store, allowances: store, outbox };

  const { text } = await stopJobs({ ...request, at: Date.parse("2026-03-01T10:00:05Z") }, deps);
  expect(text).toMatch(/\*\*ada\*\* stops 1 task\./);
  expect(await store.unfinished()).toEqual(["after-1"]);
  expect(await store.job("before-1")).toMatchObject({ state: "cancelled" });
});
