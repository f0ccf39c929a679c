import { expect, onTestFinished, test, vi } from "vitest";
import type { Store } from "../../src/adapters/store/store.ts";
import type { Act } from "../../src/core/act.ts";
import { StoppedByPerson, TransientError } from "../../src/core/errors.ts";
import type { Log, Performer } from "../../src/core/ports.ts";
import { createOutbox } from "../../src/jobs/outbox.ts";
import { newPlace, storeOn } from "../support/open-test-store.ts";
import { aCommand, aComment, acceptJobs, aJob, claimNext } from "../support/store-rows.ts";

const INSTALLATION = 7;
const commit: Act = {
  kind: "commit",
  repo: { installationId: INSTALLATION, id: 2, owner: "a", name: "b" },
  tree: "d".repeat(40),
  parents: [],
  message: "a message",
};

/** The outbox of one process, and what it says. */
function outboxOn(store: Store, perform: (act: Act) => Promise<unknown>, owner = "here/1") {
  const lines: string[] = [];
  const note = (fields: object, message: string) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const outbox = createOutbox({
    store,
    owner,
    byGit: true,
    killSwitch: { paused: async () => null },
    performer: { perform } as unknown as Performer,
    follow: async () => null,
    redact: (text) => text,
    now: () => Date.now(),
    log,
  });
  onTestFinished(() => outbox.stop());
  return { outbox, lines };
}

/** A claimed job, of which the signal can be aborted. */
async function held(store: Store) {
  const command = aCommand("of the held job");
  await acceptJobs(store, command, [aJob("held", command)]);
  await claimNext(store);
  const stop = new AbortController();
  const free = () => undefined;
  const holder = { jobId: "held", fence: 1, signal: stop.signal, insist: free, goOn: free };
  return { stop, holder };
}

test("a job gives its place up when its write has to wait long: it is told why, nothing is sent, and no try counts", async () => {
  const store = await storeOn();
  await store.slow(INSTALLATION, 60_000);
  const { holder } = await held(store);
  const perform = vi.fn(async () => null);
  const { outbox, lines } = outboxOn(store, perform);
  const failure = await outbox.perform<"commit">("commit:1", "job:held", commit, holder).then(
    () => null,
    (thrown: TransientError) => thrown,
  );
  expect(failure).toBeInstanceOf(TransientError);
  expect(failure?.message).toMatch(/only so many writes/);
  const inMs = (failure?.retryAt ?? 0) - Date.now();
  expect(inMs).toBeGreaterThan(15_000);
  expect(inMs).toBeLessThan(70_000);
  expect(lines.join("\n")).toMatch(/writes to GitHub wait/);
  expect(perform).not.toHaveBeenCalled();
  expect(await store.get("commit:1")).toMatchObject({ state: "pending", attempts: 0 });
});

test("a wait ends with the job, and what waited is not sent behind its back", async () => {
  const store = await storeOn();
  await store.slow(INSTALLATION, 10_000);
  const { stop, holder } = await held(store);
  const perform = vi.fn(async () => null);
  const { outbox } = outboxOn(store, perform);
  const waiting = outbox.perform<"commit">("commit:1", "job:held", commit, holder);
  const put = async () => (await store.get("commit:1")) !== null;
  await vi.waitFor(async () => expect(await put()).toBe(true));
  stop.abort(new StoppedByPerson("stopped by ada"));
  await expect(waiting).rejects.toThrow("stopped by ada");
  expect(perform).not.toHaveBeenCalled();
});

test("many boards of one installation, told of ever more by two processes, are edited three seconds apart", async () => {
  const place = await newPlace();
  const edits = new Map<string, number[]>();
  const edit = async (act: Act) => {
    if (act.kind !== "comment") throw new Error(`an act of another kind: ${act.kind}`);
    edits.set(act.marker, [...(edits.get(act.marker) ?? []), performance.now()]);
    return { id: 1 };
  };
  const stores = [await storeOn(place), await storeOn(place)];
  const [one, two] = stores.map((store, at) => outboxOn(store as Store, edit, `here/${at}`).outbox);
  const since = performance.now();
  let told = 0;
  while (performance.now() - since < 6500) {
    const outbox = told % 2 === 0 ? one : two;
    await outbox?.put(aComment(`board ${told % 20}`, `state ${told}`));
    told += 1;
  }
  const took = performance.now() - since;
  const times = [...edits.values()];
  expect(times).toHaveLength(20);
  expect(told).toBeGreaterThan(200);
  const gaps = times.flatMap((each) => each.slice(1).map((at, before) => at - (each[before] ?? 0)));
  expect(gaps.length).toBeGreaterThan(0);
  expect(Math.min(...gaps)).toBeGreaterThan(2900);
  expect(times.flat().length).toBeLessThanOrEqual(20 * (1 + Math.ceil(took / 2900)));
});

test("however many writes there are, a process makes only some at a time, and all of them in the end", async () => {
  const store = await storeOn();
  const gate = Promise.withResolvers<void>();
  let [now, most, done] = [0, 0, 0];
  const { outbox } = outboxOn(store, async () => {
    now += 1;
    most = Math.max(most, now);
    await gate.promise;
    now -= 1;
    done += 1;
    return { id: done };
  });
  for (let n = 0; n < 120; n += 1) await store.put(aComment(`answer ${n}`, "hello"), 0);
  outbox.wake();
  await vi.waitFor(() => expect(now).toBe(50), { timeout: 10_000 });
  gate.resolve();
  await vi.waitFor(() => expect(done).toBe(120), { timeout: 20_000 });
  expect(most).toBe(50);
});
