import { expect, test } from "vitest";
import type { Store, StorePlace } from "../../../../src/adapters/store/store.ts";
import type { Caps } from "../../../../src/core/ledger.ts";
import { aCall, answered, caps } from "../../../support/calls.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../../../support/store-rows.ts";

const HOUR_MS = 3_600_000;

/** A store with jobs of one command, each claimed once. */
async function withJobs(...ids: string[]): Promise<{ store: Store; place: StorePlace }> {
  const place = await newPlace();
  const store = await storeOn(place);
  const command = aCommand("c1");
  await acceptJobs(
    store,
    command,
    ids.map((id, at) => aJob(id, command, { number: at + 1 })),
  );
  for (const _ of ids) await claimNext(store);
  return { store, place };
}

async function spentOf(store: Store, jobId: string): Promise<number> {
  return (await store.spentBy([jobId])).get(jobId)?.microDollars ?? 0;
}

test("a call is reserved with its worst case, and settled with what it cost", async () => {
  const { store, place } = await withJobs("j1");
  expect(await store.reserve(aCall("k1", "j1"), caps())).toEqual({
    status: "reserved",
    maxOutput: 400,
    microDollars: 5_000,
    jobSpent: 5_000,
  });
  expect(await spentOf(store, "j1")).toBe(5_000);
  await store.settle("k1", answered(850));
  expect((await store.spentBy(["j1", "other"])).get("j1")).toEqual({
    calls: 1,
    inputTokens: 900,
    cachedTokens: 500,
    outputTokens: 40,
    reasoningTokens: 10,
    microDollars: 850,
    unpriced: false,
    models: ["gpt-5"],
  });
  const [row] = await sqlOn(place, "select * from calls");
  expect(row).toMatchObject({
    state: "answered",
    reported: 1,
    request_id: "req_1",
    rule: "default",
  });
  expect([Number(row?.reserved), Number(row?.latency_ms)]).toEqual([5_000, 1_200]);
  expect(await store.reserve(aCall("k2", "j1"), caps())).toMatchObject({ jobSpent: 5_850 });
});

test("the first word on a call counts", async () => {
  const { store } = await withJobs("j1");
  await store.reserve(aCall("k1", "j1"), caps());
  await store.settle("k1", { kind: "unknown", reason: "the connection broke", latencyMs: 3 });
  await store.settle("k1", answered(1));
  await store.settle("k1", { kind: "void", reason: "429", latencyMs: 3 });
  await store.settle("never", answered(1));
  expect(await spentOf(store, "j1")).toBe(5_000);
});

test("a call that the provider refused costs nothing, and is none", async () => {
  const { store } = await withJobs("j1");
  await store.reserve(aCall("k1", "j1"), caps({ job: 5_000 }));
  await store.settle("k1", { kind: "void", reason: "429\0", latencyMs: 3 });
  expect((await store.spentBy(["j1"])).get("j1")).toMatchObject({ calls: 0, microDollars: 0 });
  expect(await store.reserve(aCall("k2", "j1"), caps({ job: 5_000 }))).toMatchObject({
    status: "reserved",
    maxOutput: 400,
  });
});

test("without believable usage a call costs what was reserved", async () => {
  const { store, place } = await withJobs("j1");
  const settlements = [
    answered(null),
    { ...answered(3), inputTokens: -900 },
    { ...answered(3), outputTokens: Number.NaN },
    { ...answered(3), cachedTokens: 1.5 },
    { ...answered(3), reasoningTokens: -1 },
    answered(-3),
    answered(Number.NaN),
    answered(1e99),
    answered(1e12 + 1),
    { ...answered(3), inputTokens: 1e10 + 1 },
    { ...answered(3), reasoningTokens: Number.MAX_SAFE_INTEGER },
  ];
  for (const [at, how] of settlements.entries()) {
    await store.reserve(aCall(`k${at}`, "j1"), caps());
    await store.settle(`k${at}`, { ...how, latencyMs: Number.NaN });
  }
  expect(await spentOf(store, "j1")).toBe(settlements.length * 5_000);
  const rows = await sqlOn(place, "select * from calls where state = 'answered' and reported = 0");
  expect(rows).toHaveLength(settlements.length);
  for (const row of rows) expect(Number(row.input_tokens)).toBeGreaterThanOrEqual(0);
});

test("sums stay exact whatever a price table or a provider says", async () => {
  const { store } = await withJobs("j1");
  for (const id of ["k1", "k2"]) {
    await store.reserve(aCall(id, "j1"), caps());
    await store.settle(id, answered(9_000_000_000_000_000));
  }
  expect(await store.reserve(aCall("k3", "j1"), caps())).toMatchObject({ jobSpent: 15_000 });
  await store.settle("k3", answered(1e12));
  expect(await spentOf(store, "j1")).toBe(1e12 + 10_000);
});

test("a cost above what was reserved stands as it is, and leaves less for the next", async () => {
  const { store } = await withJobs("j1");
  await store.reserve(aCall("k1", "j1"), caps({ job: 10_000 }));
  await store.settle("k1", { ...answered(9_000), cachedTokens: 5_000 });
  expect(await store.spentBy(["j1"])).toEqual(
    new Map([["j1", expect.objectContaining({ microDollars: 9_000, cachedTokens: 900 })]]),
  );
  expect(await store.reserve(aCall("k2", "j1"), caps({ job: 10_000 }))).toEqual({
    status: "refused",
    cap: "job",
    spent: 9_000,
    limit: 10_000,
  });
});

test("a call is made smaller to fit, down to the least", async () => {
  const { store } = await withJobs("j1");
  const job = 5_000 + 2_500;
  await store.reserve(aCall("k1", "j1"), caps({ job }));
  expect(await store.reserve(aCall("k2", "j1"), caps({ job }))).toEqual({
    status: "reserved",
    maxOutput: 150,
    microDollars: 2_500,
    jobSpent: 7_500,
  });
  expect(await store.reserve(aCall("k3", "j1"), caps({ job }))).toMatchObject({
    status: "crowded",
  });
  await store.settle("k1", answered(5_000));
  expect(await store.reserve(aCall("k3", "j1"), caps({ job: job - 2_500 }))).toMatchObject({
    status: "refused",
  });
});

test("a call that is asked for twice under one id is reserved once", async () => {
  const { store } = await withJobs("j1");
  const first = await store.reserve(aCall("k1", "j1"), caps({ job: 6_000 }));
  expect(await store.reserve(aCall("k1", "j1"), caps({ job: 6_000 }))).toEqual(first);
  expect(await spentOf(store, "j1")).toBe(5_000);
});

test("a call without a price costs nothing and is told as unpriced", async () => {
  const { store } = await withJobs("j1");
  const call = aCall("k1", "j1", { price: null });
  expect(await store.reserve(call, caps({ job: 1 }))).toEqual({
    status: "reserved",
    maxOutput: 400,
    microDollars: 0,
    jobSpent: 0,
  });
  await store.settle("k1", answered(0));
  expect((await store.spentBy(["j1"])).get("j1")).toMatchObject({
    unpriced: true,
    inputTokens: 900,
    microDollars: 0,
  });
});

test("who lost the job, or whose job ended, may make no call", async () => {
  const { store } = await withJobs("j1", "j2");
  for (const call of [
    aCall("k1", "j1", { fence: 0 }),
    aCall("k2", "j1", { fence: 2 }),
    aCall("k3", "nobody"),
  ])
    expect(await store.reserve(call, caps())).toEqual({ status: "lost" });
  await store.write("j2", 1, { state: "failed" });
  expect(await store.reserve(aCall("k4", "j2"), caps())).toEqual({ status: "lost" });
  expect(await store.spentBy(["j1", "j2"])).toEqual(new Map());
});

const other = { jobId: "j2", commandId: "c2", actorId: 6, repoId: 9, installationId: 8 };

test.each<[keyof Caps, Partial<typeof other>]>([
  ["job", { jobId: "j1" }],
  ["command", { commandId: "c1" }],
  ["personDay", { actorId: 5 }],
  ["repositoryDay", { repoId: 4_000_000_001 }],
  ["repositoryMonth", { repoId: 4_000_000_001 }],
  ["installationMonth", { installationId: 7 }],
  ["operatorMonth", {}],
])("the cap %s holds for what it encloses, and for nothing else", async (cap, shared) => {
  const { store } = await withJobs("j1", "j2");
  const bound = caps({ [cap]: 6_000 });
  await store.reserve(aCall("k1", "j1"), bound);
  const same = aCall("k2", "j2", { ...other, ...shared });
  // The first call is being made, and may cost less.
  const crowded = { status: "crowded", cap, spent: 5_000, limit: 6_000 };
  expect(await store.reserve(same, bound)).toEqual(crowded);
  const foreign = await store.reserve(aCall("k3", "j2", other), bound);
  expect(foreign.status).toBe(cap === "operatorMonth" ? "crowded" : "reserved");
  await store.settle("k1", answered(5_000));
  expect(await store.reserve(same, bound)).toEqual({ ...crowded, status: "refused" });
});

test("a cap that is used up refuses a call at once, though calls hold the room under another", async () => {
  const { store } = await withJobs("j1", "j2");
  await store.reserve(aCall("k1", "j1", { repoId: 9 }), caps());
  await store.settle("k1", answered(5_000));
  await store.reserve(aCall("k2", "j2", { actorId: 6 }), caps());
  const held = { repositoryDay: 5_000 };
  const call = aCall("k3", "j1");
  expect(await store.reserve(call, caps({ ...held, personDay: 6_000 }))).toEqual({
    status: "refused",
    cap: "personDay",
    spent: 5_000,
    limit: 6_000,
  });
  const both = caps({ ...held, personDay: 6_000, command: 11_500 });
  expect(await store.reserve(call, both)).toMatchObject({ status: "refused", cap: "personDay" });
  expect(await store.reserve(call, caps(held))).toMatchObject({
    status: "crowded",
    cap: "repositoryDay",
  });
  await store.settle("k2", answered(5_000));
  // Of two that are used up the one with the least room is named: with the other alone nothing is won.
  expect(await store.reserve(call, both)).toMatchObject({ cap: "repositoryDay" });
});

test("what a claim holds that is another's by now is no room to wait for", async () => {
  const { store, place } = await withJobs("j1", "j2");
  const bound = caps({ operatorMonth: 6_000 });
  await store.reserve(aCall("k1", "j1"), bound);
  await sqlOn(place, "update jobs set fence = 2 where id = 'j1'");
  expect(await store.reserve(aCall("k2", "j2"), bound)).toMatchObject({ status: "refused" });
});

test("one call has a cap of its own", async () => {
  const { store } = await withJobs("j1");
  expect(await store.reserve(aCall("k1", "j1"), caps({ call: 3_000 }))).toMatchObject({
    maxOutput: 200,
  });
  expect(await store.reserve(aCall("k2", "j1"), caps({ call: 1_999 }))).toEqual({
    status: "refused",
    cap: "call",
    spent: 0,
    limit: 1_999,
  });
});

test.each([Number.NaN, -1])("on a cap of %d nothing is spent", async (limit) => {
  const { store } = await withJobs("j1");
  for (const cap of ["job", "operatorMonth"] as const) {
    const bound = caps({ command: 90_000, [cap]: limit });
    await expect(store.reserve(aCall("k1", "j1"), bound)).rejects.toThrow(/the cap/);
  }
  expect(await store.spentBy(["j1"])).toEqual(new Map());
});

test("of several caps the one with the least room decides, and is named", async () => {
  const { store } = await withJobs("j1");
  const bound = caps({ job: 50_000, command: 9_000, repositoryDay: 7_000, operatorMonth: 80_000 });
  await store.reserve(aCall("k1", "j1"), bound);
  expect(await store.reserve(aCall("k2", "j1"), bound)).toMatchObject({ maxOutput: 100 });
  expect(await store.reserve(aCall("k3", "j1"), bound)).toMatchObject({ cap: "repositoryDay" });
});

test.each(["personDay", "repositoryDay", "repositoryMonth", "installationMonth", "operatorMonth"])(
  "%s begins anew at midnight UTC by the database's clock, and what is from later counts",
  async (cap) => {
    const { store, place } = await withJobs("j1");
    const bound = caps({ [cap]: 6_000 });
    await store.reserve(aCall("k1", "j1"), bound);
    const [row] = await sqlOn(place, "select at from calls");
    const now = new Date(Number(row?.at));
    const begun = cap.endsWith("Day")
      ? Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate())
      : Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
    const setTo = (at: number) => sqlOn(place, `update calls set at = ${at}`);
    for (const at of [begun, now.getTime() + HOUR_MS, now.getTime() + 400 * 24 * HOUR_MS]) {
      await setTo(at);
      expect(await store.reserve(aCall("k2", "j1"), bound), `${at}`).toMatchObject({ cap });
    }
    await setTo(begun - 1);
    expect(await store.reserve(aCall("k2", "j1"), bound)).toMatchObject({ maxOutput: 400 });
  },
);

test("a job tells what its calls in the ledger come to, and what it had spent before there was one", async () => {
  const { store, place } = await withJobs("j1", "j2", "j3");
  const before = { inputTokens: 10, cachedTokens: 5, outputTokens: 2 };
  const stored = (microDollars: number | null) =>
    JSON.stringify({ steps: 3, ...before, microDollars, workedMs: 77 });
  await sqlOn(place, `update jobs set spend = '${stored(100)}' where id = 'j2'`);
  await sqlOn(place, `update jobs set spend = '${stored(null)}' where id = 'j3'`);
  for (const id of ["j1", "j2", "j3"]) {
    await store.reserve(aCall(`k-${id}`, id), caps());
    await store.settle(`k-${id}`, answered(850));
  }
  const sums = { inputTokens: 900, cachedTokens: 500, outputTokens: 40, microDollars: 850 };
  const all = { steps: 3, workedMs: 77, inputTokens: 910, cachedTokens: 505, outputTokens: 42 };
  const told = async () => (await store.jobsOf("c1")).map((job) => job.spend);
  const wanted = [
    expect.objectContaining({ steps: 0, ...sums }),
    expect.objectContaining({ ...all, microDollars: 950 }),
    expect.objectContaining({ ...all, microDollars: null }),
  ];
  expect(await told()).toEqual(wanted);
  // What was read is written back with the next step: nothing counts twice.
  for (const id of ["j1", "j2", "j3"]) {
    const job = await store.job(id);
    if (job) await store.write(id, 1, { spend: { ...job.spend, steps: job.spend.steps } });
  }
  expect(await told()).toEqual(wanted);
  expect((await store.jobsAt(4_000_000_001, 12, 0)).map((job) => job.spend)).toEqual(wanted);
  await store.releaseAll("here");
  const claimed = [await claimNext(store), await claimNext(store), await claimNext(store)];
  expect(claimed.find((job) => job?.id === "j2")?.spend).toMatchObject({ microDollars: 950 });
});

test("a call under way shows no cost yet; once its attempt is lost, it shows all that was reserved", async () => {
  const { store } = await withJobs("j1");
  const shown = async () => (await store.job("j1"))?.spend.microDollars;
  await store.reserve(aCall("k1", "j1"), caps());
  expect([await shown(), await spentOf(store, "j1")]).toEqual([0, 5_000]);
  await store.settle("k1", answered(850));
  await store.reserve(aCall("k2", "j1"), caps());
  expect([await shown(), await spentOf(store, "j1")]).toEqual([850, 5_850]);
  await store.releaseAll("here");
  expect(await shown()).toBe(5_850);
  expect((await claimNext(store))?.spend.microDollars).toBe(5_850);
});

test("a job whose rows are from before the ledger keeps its figures", async () => {
  const { store, place } = await withJobs("j1");
  const spend = { steps: 3, inputTokens: 10, cachedTokens: 5, outputTokens: 2, microDollars: null };
  await sqlOn(place, `update jobs set spend = '${JSON.stringify(spend)}'`);
  expect((await store.job("j1"))?.spend).toEqual(spend);
});

test("money is never pruned", async () => {
  const { store, place } = await withJobs("j1");
  await store.reserve(aCall("k1", "j1"), caps());
  await store.settle("k1", answered(850));
  await store.write("j1", 1, { state: "failed", endedAt: 1_000 });
  await sqlOn(place, "update calls set at = 1000");
  await store.prune(1);
  expect(await spentOf(store, "j1")).toBe(850);
});
