import { expect, test } from "vitest";
import type { Store } from "../../../../src/adapters/store/store.ts";
import type { Refusal, Usage } from "../../../../src/core/policy.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import {
  aCommand,
  aComment,
  acceptJobs,
  aDelivery,
  admitAll,
  aHeard,
  aJob,
  due,
} from "../../../support/store-rows.ts";

const refusal: Refusal = {
  status: "refused",
  rule: "quota",
  reason: "too much",
  told: "hourly",
  passing: false,
};

/** What a store counts for a new comment of somebody. */
async function usageFor(store: Store, more: Parameters<typeof aHeard>[1] = {}): Promise<Usage> {
  let usage: Usage | undefined;
  const admit = (counted: Usage) => {
    usage = counted;
    return refusal;
  };
  expect(await store.answer(aHeard("a look", more), [], admit)).toEqual(refusal);
  if (!usage) throw new Error("nothing was counted");
  return usage;
}

test("open jobs are counted for the person, the repository and the installation", async () => {
  const store = await storeOn();
  const one = aCommand("c1");
  const elsewhere = { ...one.repo, id: 99 };
  const two = aCommand("c2", { repo: elsewhere });
  const three = aCommand("c3", { actor: { id: 6, login: "eve" } });
  const far = aCommand("c4", { repo: { ...one.repo, id: 77, installationId: 8 } });
  await acceptJobs(store, one, [aJob("j1", one), aJob("j2", one, { state: "failed" })]);
  await acceptJobs(store, two, [aJob("j3", two, { repo: elsewhere })]);
  await acceptJobs(store, three, [aJob("j4", three), aJob("j5", three, { state: "publishing" })]);
  await acceptJobs(store, far, [aJob("j6", far)]);

  expect(await usageFor(store)).toEqual({
    open: { person: 3, repository: 3, installation: 4 },
    heard: 3,
  });
  expect(await usageFor(store, { actorId: 6, repo: elsewhere })).toEqual({
    open: { person: 2, repository: 1, installation: 4 },
    heard: 1,
  });
});

test("a refused comment leaves nothing but that it was heard", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  const intake = {
    delivery: aDelivery("d1"),
    command,
    jobs: [aJob("j1", command)],
    acts: [aComment("board", "queued")],
    admit: () => refusal,
  };
  expect(await store.accept(intake)).toEqual(refusal);
  expect(await store.known("d1", command.key)).toBe(false);
  expect(await store.unfinished()).toEqual([]);
  expect(await store.dueIn([], [])).toBeNull();

  const heard = aHeard("d1", { key: command.key });
  expect(await store.refuse(heard, refusal, [aComment("no", "too much")])).toBe(true);
  expect(await store.known("another", command.key)).toBe(true);
  expect(await store.accept({ ...intake, admit: admitAll })).toBe("duplicate");
  expect(await store.unfinished()).toEqual([]);
});

test("of fifty at once no more are admitted than there is room for", async () => {
  const store = await storeOn();
  const admit = ({ open }: Usage) => (open.person < 4 ? admitAll({ open, heard: 0 }) : refusal);
  const taken = await Promise.all(
    Array.from({ length: 50 }, (_, at) => {
      const command = aCommand(`c${at}`);
      const jobs = [aJob(`j${at}`, command)];
      return store.accept({ delivery: aDelivery(`d${at}`), command, jobs, acts: [], admit });
    }),
  );
  expect(taken.filter((each) => each === "accepted")).toHaveLength(4);
  expect(await store.unfinished()).toHaveLength(4);
});

test("a gate that is not through with its questions admits nothing", async () => {
  const store = await storeOn();
  const undecided = () => ({ status: "undecided", needs: "usage" }) as const;
  await expect(store.answer(aHeard("d1"), [], undecided)).rejects.toThrow(/usage/);
  expect(await store.known("d1", "key of d1")).toBe(false);
});

test("the same refusal is told once an hour to a person on an issue", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  let comments = 0;
  const told = async (more: Parameters<typeof aHeard>[1] = {}, by = refusal) => {
    comments += 1;
    const key = `said-${comments}`;
    await store.refuse(aHeard(key, more), by, [aComment(key, "no")]);
    return (await store.get(key)) !== null;
  };
  expect([await told(), await told(), await told()]).toEqual([true, false, false]);
  expect(await told({ issue: 13 })).toBe(true);
  expect(await told({ actorId: 6 })).toBe(true);
  expect(await told({}, { ...refusal, rule: "rate" })).toBe(true);
  expect(await told({}, { ...refusal, told: "never" })).toBe(false);
  expect(await told({}, { ...refusal, told: "always" })).toBe(true);

  await sqlOn(place, "UPDATE intakes SET at = at - 3600001");
  expect(await told()).toBe(true);
  expect(await store.heardOf(5)).toBe(1);
});

test("a refusal comes once, however often its webhook does", async () => {
  const store = await storeOn();
  const always: Refusal = { ...refusal, told: "always" };
  const copies = await Promise.all(
    ["a", "b", "c"].map((guid) =>
      store.refuse(aHeard(guid, { key: "one comment" }), always, [aComment(guid, "no")]),
    ),
  );
  expect(copies.toSorted()).toEqual([false, false, true]);
  expect(await due(store)).toHaveLength(1);
});
