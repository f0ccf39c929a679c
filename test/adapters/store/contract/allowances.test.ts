import { expect, test } from "vitest";
import type { Job, VerifiedChange } from "../../../../src/core/job.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../../../support/store-rows.ts";

const COMMIT = "c".repeat(40);
const ID = "01900000-0000-7000-8000-00001a2b3c4d";
const change: VerifiedChange = {
  commit: COMMIT,
  parent: "a".repeat(40),
  tree: "d".repeat(40),
  files: [],
  evidence: [],
  deniedHosts: [],
  title: "Own it",
  summary: "",
  message: "Own it\n",
  limit: null,
  cautions: [],
  violations: [{ kind: "path", path: "CODEOWNERS", reason: "because" }],
  excerpt: "",
};
const word = { commit: COMMIT, actor: { id: 7, login: "eve" }, at: 1 };

async function holding(more: Partial<Job> = {}) {
  const store = await storeOn();
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob(ID, command)]);
  await claimNext(store);
  await store.write(ID, 1, { state: "running", startedAt: 5 });
  await store.write(ID, 1, { state: "blocked", reason: "held", change, ...more });
  return { store, repoId: command.repo.id };
}

test("a word sends exactly the held commit back to the queue, once", async () => {
  const { store } = await holding();
  const words = [1, 2, 3, 4].map((at) => store.allow(ID, { ...word, at }));
  const taken = await Promise.all(words);

  expect(taken.filter(Boolean)).toHaveLength(1);
  const job = await store.job(ID);
  expect(job).toMatchObject({
    state: "queued",
    reason: "",
    change,
    allowance: { commit: COMMIT, actor: word.actor, at: taken.indexOf(true) + 1 },
    startedAt: null,
    endedAt: null,
  });
  expect(await store.unfinished()).toEqual([ID]);
  expect((await store.events(ID)).at(-1)).toEqual({
    type: "state",
    from: "blocked",
    to: "queued",
    reason: "allowed by eve",
  });
});

test.each<[string, Partial<Job>, Partial<typeof word>]>([
  ["for another commit", {}, { commit: "d".repeat(40) }],
  ["for a part of its name", {}, { commit: COMMIT.slice(0, 12) }],
  ["for a job that holds nothing", { change: null }, {}],
  ["for a change that needs no word", { change: { ...change, violations: [] } }, {}],
  ["for a job that failed", { state: "failed" }, {}],
])("a word %s changes nothing", async (_name, job, more) => {
  const { store } = await holding(job);
  const before = await store.job(ID);
  expect(await store.allow(ID, { ...word, ...more })).toBe(false);
  expect(await store.job(ID)).toEqual(before);
});

test("a job that runs again cannot be allowed, and one that is held again can", async () => {
  const { store } = await holding();
  await store.allow(ID, word);
  const claimed = await claimNext(store);
  expect(claimed).toMatchObject({ fence: 2, allowance: word });
  expect(await store.allow(ID, { ...word, at: 2 })).toBe(false);
  await store.write(ID, 2, { state: "blocked", reason: "GitHub refused" });
  expect(await store.allow(ID, { ...word, at: 3 })).toBe(true);
});

test("jobs are found by the digits people see, in their repository only", async () => {
  const { store, repoId } = await holding();
  expect((await store.jobsCalled(repoId, "1a2b3c4d")).map(({ id }) => id)).toEqual([ID]);
  for (const digits of ["1a2b3c4", "%a2b3c4d", "00001a2b3c4d", "1A2B3C4D", ""]) {
    expect(await store.jobsCalled(repoId, digits), digits).toEqual([]);
  }
  expect(await store.jobsCalled(repoId + 1, "1a2b3c4d")).toEqual([]);
});

test("rows of the first version load, with the defaults of what came since", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob(ID, command)]);
  const config = {
    limits: { tasks: 3 },
    paths: { allowed: ["src/**"], protected: [] },
    checks: [],
  };
  const [row] = await sqlOn(place, "select spec from jobs");
  const spec = JSON.stringify({ ...JSON.parse(String(row?.spec)), config });
  const change = JSON.stringify({ commit: COMMIT, files: [], evidence: [], title: "Old" });
  await sqlOn(place, `update jobs set spec = '${spec}', change = '${change}'`);

  const job = await store.job(ID);

  expect(job?.allowance).toBeNull();
  expect(job?.change).toMatchObject({ title: "Old", cautions: [], violations: [], excerpt: "" });
  expect(job?.config).toMatchObject({
    limits: { tasks: 3, files: 200, lines: 20_000, kilobytes: 4096, binary_kilobytes: 1024 },
    paths: { allowed: ["src/**"], shown_first: [], free: [] },
  });
});
