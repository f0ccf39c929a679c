import { expect, test } from "vitest";
import type { JobEvent } from "../../../../src/core/event.ts";
import type { Job, JobPatch } from "../../../../src/core/job.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../../../support/store-rows.ts";

const MINUTE = 60_000;
const note = (text: string): JobEvent => ({ type: "note", text });

async function storeWithJob(more: Partial<Job> = {}) {
  const place = await newPlace();
  const store = await storeOn(place);
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob("j1", command, more)]);
  return { store, place };
}

test("an attempt that lost its lease changes nothing: no field, no event, no lease", async () => {
  const { store } = await storeWithJob();
  await claimNext(store, { leaseMs: 0 });
  await claimNext(store, { owner: "there/1", leaseMs: 0 });
  const before = await store.job("j1");

  const patch: JobPatch = { state: "running", lastAction: "I am late" };
  expect(await store.write("j1", 1, patch, [note("late")])).toBe(false);
  expect(await store.renew("j1", 1, MINUTE)).toBe(false);
  await store.release("j1", 1, { inMs: MINUTE, burn: false });

  expect(await store.job("j1")).toEqual(before);
  expect(await store.events("j1")).toEqual([]);
  expect(await claimNext(store)).not.toBeNull();
});

test("a write changes the fields it names and no other", async () => {
  const { store } = await storeWithJob();
  const claimed = await claimNext(store);
  const patch: Required<JobPatch> = {
    state: "running",
    spend: {
      steps: 2,
      inputTokens: 3_000_000_000,
      cachedTokens: 1,
      outputTokens: 5,
      microDollars: null,
    },
    plan: [{ text: "look 👀", status: "in_progress" }],
    threads: [{ id: 5_000_000_001, node: "PRRT_1", answer: { text: "renamed", done: true } }],
    ending: { kind: "cap", by: { cap: "repositoryDay", spent: 0, limit: 10_000 } },
    sources: {
      on: "issue",
      subject: "shown",
      revision: "0123456789ab",
      asOf: "2026-03-01T10:00:00Z",
      comments: { shown: 2, untrusted: 0 },
      leftOut: [{ what: "comments", why: "later", count: 1 }],
      stripped: [{ where: "issue #12", what: ["1 HTML comment"] }],
    },
    skills: {
      commits: [
        {
          source: "repository",
          repo: { installationId: 7, id: 4, owner: "octo", name: "shop" },
          commit: "e".repeat(40),
        },
      ],
      pins: [
        {
          name: "tidy",
          source: "repository",
          digest: "f".repeat(64),
          commit: "e".repeat(40),
          instead: ["built-in"],
          by: "model",
          manifest: {
            network: [],
            scripts: "none",
            writes: null,
            models: null,
            checks: [],
            limits: {},
          },
        },
      ],
    },
    lastAction: "read src/auth.ts",
    reason: "so far so good",
    change: {
      commit: "c".repeat(40),
      parent: "a".repeat(40),
      tree: "d".repeat(40),
      files: [{ path: "a\nb", added: null, removed: null, status: "modified" }],
      evidence: [
        {
          command: "npm test",
          exitCode: null,
          stopped: "timeout",
          durationMs: 1.5,
          output: "…",
          deniedHosts: ["a.example.org:443"],
        },
      ],
      title: "Use JWT",
      summary: "",
      message: "Use JWT\n\nBecause.",
      limit: null,
      deniedHosts: [],
      cautions: [],
      violations: [],
      excerpt: "",
    },
    publication: {
      pull: 3,
      url: "https://github.test/pull/3",
      headSha: "e".repeat(40),
      draft: false,
    },
    startedAt: 17,
    endedAt: null,
  };

  expect(await store.write("j1", 1, patch)).toBe(true);
  expect(await store.job("j1")).toEqual({ ...claimed, ...patch });

  expect(await store.write("j1", 1, { lastAction: "", change: null })).toBe(true);
  expect(await store.job("j1")).toEqual({ ...claimed, ...patch, lastAction: "", change: null });
});

test("events keep their order over attempts, each write all or nothing", async () => {
  const { store } = await storeWithJob();
  await claimNext(store);
  await store.write("j1", 1, {}, [note("1"), note("2")]);
  await store.release("j1", 1, { inMs: 0, burn: true });
  await claimNext(store);
  await Promise.all(["3", "4", "5"].map((text) => store.write("j1", 2, {}, [note(text)])));

  const events = await store.events("j1");
  expect(events.slice(0, 2)).toEqual(["1", "2"].map(note));
  // Of writes at the same moment any may come first.
  expect(events.slice(2)).toEqual(expect.arrayContaining(["3", "4", "5"].map(note)));
  expect(events).toHaveLength(5);
});

test("an event of 10 MB comes back whole", async () => {
  const { store } = await storeWithJob();
  const text = "0123456789abcdé😀".repeat(600_000);
  expect(Buffer.byteLength(text)).toBeGreaterThan(10_000_000);

  await store.write("j1", 0, {}, [note("before"), note(text), note("after")]);

  const events = await store.events("j1");
  expect(events.map((event) => event.type === "note" && event.text.length)).toEqual([
    6,
    text.length,
    5,
  ]);
  expect(events[1]).toEqual(note(text));
});

test("a step that the life of a job does not know is an error, and nothing is written", async () => {
  const { store } = await storeWithJob();
  await expect(store.write("j1", 0, { state: "done", reason: "?" }, [note("?")])).rejects.toThrow(
    "job j1 cannot go from queued to done",
  );
  expect(await store.job("j1")).toMatchObject({ state: "queued", reason: "" });
  expect(await store.events("j1")).toEqual([]);
});

test("a job that ends gives its lease back, gets its end time and is never claimed again", async () => {
  const { store, place } = await storeWithJob();
  await claimNext(store);
  const before = Date.now();
  await store.write("j1", 1, { state: "failed", reason: "no luck" });

  const ended = await store.job("j1");
  expect(ended).toMatchObject({ state: "failed", reason: "no luck", fence: 1 });
  expect(Math.abs((ended?.endedAt ?? 0) - before)).toBeLessThan(60_000);
  expect(await claimNext(store)).toBeNull();
  expect(await store.unfinished()).toEqual([]);
  expect(await sqlOn(place, "select lease_owner, lease_until from jobs")).toEqual([
    { lease_owner: null, lease_until: null },
  ]);

  await store.write("j1", 1, { state: "failed", lastAction: "told" });
  expect((await store.job("j1"))?.endedAt).toBe(ended?.endedAt);
  await expect(store.write("j1", 1, { state: "running" })).rejects.toThrow(
    "from failed to running",
  );
});

test("the end time of the caller counts", async () => {
  const { store } = await storeWithJob();
  await store.write("j1", 0, { state: "cancelled", endedAt: 1_772_000_001_234 });
  expect((await store.job("j1"))?.endedAt).toBe(1_772_000_001_234);
});

test("unfinished jobs come oldest first; jobs of one moment by their number", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  await acceptJobs(store, command, [
    aJob("young", command, { createdAt: 3_000 }),
    aJob("second", command, { createdAt: 2_000, number: 2 }),
    aJob("third", command, { createdAt: 2_000, number: 3 }),
    aJob("first", command, { createdAt: 2_000, number: 1 }),
    aJob("old", command, { createdAt: 1_000, state: "publishing" }),
    aJob("ended", command, { createdAt: 500, state: "no_change" }),
  ]);
  expect(await store.unfinished()).toEqual(["old", "first", "second", "third", "young"]);
});

test("conflicts are written from outside, whoever holds the job", async () => {
  const { store } = await storeWithJob();
  await claimNext(store);
  const conflicts = [{ job: 2, files: ["src/auth.ts"] }];
  await store.setConflicts("j1", conflicts);
  expect(await store.job("j1")).toMatchObject({ conflicts, fence: 1, state: "queued" });
});

test("what does not exist is null, false or empty", async () => {
  const store = await storeOn();
  expect(await store.job("none")).toBeNull();
  expect(await store.command("none")).toBeNull();
  expect(await store.jobsOf("none")).toEqual([]);
  expect(await claimNext(store)).toBeNull();
  expect(await store.renew("none", 0, MINUTE)).toBe(false);
  expect(await store.write("none", 0, { lastAction: "x" }, [note("x")])).toBe(false);
  expect(await store.events("none")).toEqual([]);
});

test("a damaged row is named, and the others stay readable", async () => {
  const { store, place } = await storeWithJob();
  const second = aCommand("c2");
  await acceptJobs(store, second, [aJob("j2", second), aJob("j3", second)]);
  await sqlOn(place, "update jobs set plan = '[' where id = 'j1'");
  await sqlOn(place, "update jobs set state = 'odd' where id = 'j2'");

  await expect(store.job("j1")).rejects.toThrow("job j1, plan holds no JSON");
  await expect(store.job("j2")).rejects.toThrow("job j2 has the unknown state odd");
  expect((await store.job("j3"))?.id).toBe("j3");
});
