import { expect, test } from "vitest";
import type { Command, Job } from "../../../../src/core/job.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import {
  aCommand,
  aComment,
  acceptJobs,
  aDelivery,
  admitAll,
  aJob,
  claimNext,
} from "../../../support/store-rows.ts";

const stopped = (id: string, command: Command, more: Partial<Job> = {}) =>
  aJob(id, command, { state: "over_budget", ...more });

/** What a comment hands in that goes on with `first`, of which it knew these continuations. */
function going(id: string, first: string, known: string[] = []) {
  const command = aCommand(`command of ${id}`, { issue: 30 });
  const job = aJob(id, command, { continues: { jobs: [first], task: "make it" } });
  const delivery = aDelivery(`delivery of ${id}`);
  const takenUp = [{ job: first, known }];
  return { delivery, command, jobs: [job], takenUp, acts: [], admit: admitAll };
}

test("of comments that go on with one job at one moment one is taken, whatever process they reach", async () => {
  const place = await newPlace();
  const stores = [await storeOn(place), await storeOn(place), await storeOn(place)];
  const [store] = stores;
  if (!store) throw new Error("no store");
  for (let round = 0; round < 8; round += 1) {
    const command = aCommand(`c${round}`);
    await acceptJobs(store, command, [stopped(`first ${round}`, command)]);
    const answers = await Promise.all(
      stores.map((each, at) => each.accept(going(`later ${round}-${at}`, `first ${round}`))),
    );
    expect(answers.toSorted()).toEqual(["accepted", "overtaken", "overtaken"]);
    expect(await store.wentOnWith([`first ${round}`])).toHaveLength(1);
  }
  expect(await store.unfinished()).toHaveLength(8);
});

test("one that was overtaken leaves nothing, and is taken once it knows of the other, which has ended", async () => {
  const store = await storeOn();
  const command = aCommand("c");
  await acceptJobs(store, command, [stopped("first", command)]);
  await store.accept(going("second", "first"));
  await store.stop(["second"], { id: 5, login: "ada" });
  expect(await store.accept(going("third", "first"))).toBe("overtaken");
  expect(await store.command("command of third")).toBeNull();
  expect(await store.known("delivery of third", "key of command of third")).toBe(false);
  expect(await store.accept(going("third", "first", ["second"]))).toBe("accepted");
});

test("a job that works again by then is not gone on with", async () => {
  const store = await storeOn();
  const command = aCommand("c");
  await acceptJobs(store, command, [aJob("first", command)]);
  await claimNext(store);
  expect(await store.accept(going("second", "first"))).toBe("overtaken");
  expect(await store.job("second")).toBeNull();
});

test("who tells of a command hears of the jobs that went on with its own, and whom those concern", async () => {
  const store = await storeOn();
  const command = aCommand("c");
  const publication = { pull: 30, url: "u", headSha: "a".repeat(40), draft: true };
  await acceptJobs(store, command, [stopped("first", command, { publication })]);
  const asked = aCommand("other", { issue: 30 });
  const target = { kind: "follow_up", branch: "b", base: "main", pull: 30 } as const;
  await acceptJobs(store, asked, [
    aJob("commit", asked, { state: "done", publication, target, createdAt: 2_000_000_000_000 }),
    aJob("unpublished", asked, { number: 2, target }),
  ]);
  await store.accept(going("second", "first"));
  const heard: string[] = [];
  const tell = (id: string) =>
    store.putTold(id, ({ command: { id: of }, jobs, later }) => {
      heard.push(`${of}: ${[...jobs, ...later].map((job) => job.id).join(" ")}`);
      return [{ keyed: aComment(`board ${of}`, "now"), spacingMs: 0 }];
    });
  expect(await tell("c")).toEqual([]);
  expect(await tell("command of second")).toEqual(["c"]);
  expect(heard).toEqual(["c: first second commit", "command of second: second"]);
  expect(await store.get("board c")).toMatchObject({ state: "pending" });
});

test("what earlier versions stored is found, and stopped by no cap that is known", async () => {
  const place = await newPlace();
  const first = await storeOn(place);
  const command = aCommand("c");
  await acceptJobs(first, command, [stopped("first", command)]);
  await first.accept(going("second", "first"));
  await first.close();
  for (const statement of [
    "drop table continuations",
    "alter table jobs drop column ending",
    "alter table jobs drop column threads",
    "delete from migrations where number >= 14",
  ]) {
    await sqlOn(place, statement);
  }
  const store = await storeOn(place);
  expect((await store.wentOnWith(["first"])).map(({ id }) => id)).toEqual(["second"]);
  expect(await store.job("first")).not.toHaveProperty("ending");
});
