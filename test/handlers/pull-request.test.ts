import { expect, test } from "vitest";
import { onPullClosed } from "../../src/handlers/pull-request.ts";
import { silentLog } from "../support/log.ts";
import { newPlace, sqlOn, storeOn } from "../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob } from "../support/store-rows.ts";

const MERGED_AT = "2026-03-02T10:00:00Z";

function closed(number: number, merged: object) {
  return {
    action: "closed",
    installation: { id: 7 },
    repository: { id: 4_000_000_001, name: "shop", owner: { login: "octo" } },
    pull_request: { number, closed_at: MERGED_AT, ...merged },
    sender: { id: 5, login: "ada", type: "User" },
  };
}

test("when a pull request of ours is merged that is kept, and not when it is only closed", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  const command = aCommand("c1");
  const pull = (id: number) => ({ pull: id, url: "", headSha: "b".repeat(40), draft: true });
  const jobs = [40, 41, 42].map((id) => aJob(`j${id}`, command, { publication: pull(id) }));
  await acceptJobs(store, command, jobs);
  const unasked = () => Promise.reject(new Error("nothing is told of it"));
  const deps = {
    intake: store,
    commands: store,
    stops: { ...store, jobsAt: async () => [] },
    outbox: { put: unasked, tell: unasked, publish: unasked } as never,
    log: silentLog,
  };
  const events = [
    closed(40, { merged: true, merged_at: MERGED_AT }),
    closed(40, { merged: true, merged_at: "2026-03-09T10:00:00Z" }),
    closed(41, { merged: false, merged_at: null }),
    closed(42, { merged_at: "not a time" }),
    closed(99, { merged_at: MERGED_AT }),
  ];
  for (const [at, payload] of events.entries()) await onPullClosed({ id: `d${at}`, payload }, deps);
  const rows = await sqlOn(place, "select * from merges");
  expect(rows.map((row) => [Number(row.pull), Number(row.merged_at)])).toEqual([
    [40, Date.parse(MERGED_AT)],
  ]);
  for (const at of events.keys()) expect(await store.known(`d${at}`, "")).toBe(true);
});
