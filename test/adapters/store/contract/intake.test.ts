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

test("a comment that was deleted starts nothing, whichever webhook comes first", async () => {
  const store = await storeOn();
  const later = aCommand("later");
  const grave = (key: string) => ({ key, repo: later.repo, issue: 12 });
  expect(await store.bury(grave(later.key))).toBeNull();
  const intake = { delivery: aDelivery("d-1"), jobs: [], acts: [], admit: admitAll };
  expect(await store.accept({ ...intake, command: later })).toBe("duplicate");
  expect(await store.command("later")).toBeNull();
  expect(await store.came(["d-1"])).toEqual(new Set(["d-1"]));

  const before = aCommand("before");
  await acceptJobs(store, before, [aJob("b-1", before)]);
  expect(await store.bury(grave(before.key))).toBe("before");
  expect(await store.bury(grave(before.key))).toBe("before");
  expect(await store.heardOf(5)).toBe(1);
});

test("a stop ends what was asked before it and taken while it was answered", async () => {
  const store = await storeOn();
  const said = (id: string, askedAt: string) => aCommand(id, { askedAt });
  const before = said("before", "2026-03-01T10:00:00Z");
  const after = said("after", "2026-03-01T10:00:02Z");
  for (const command of [before, after]) {
    const heard = aHeard(`d-${command.id}`, { key: command.key });
    const intake = { delivery: heard.delivery, jobs: [aJob(`${command.id}-1`, command)], acts: [] };
    await store.accept({ ...intake, command, admit: admitAll });
  }
  const at = Date.parse("2026-03-01T10:00:01Z");
  const stop = { by: { id: 5, login: "ada" }, at, commentId: 1 };
  expect(await store.answer(aHeard("s", { stop }), [], admitAll)).toBe("accepted");
  expect(await store.unfinished()).toEqual(["after-1"]);
});

test("what is owed is asked for when its time has come, and no more once it is settled", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  const day = 86_400_000;
  const owed = (guid: string, event: string, deliveredAt: number) => ({
    guid,
    id: "3804004623172239366",
    event,
    deliveredAt,
  });
  const at = Date.now();
  await store.owe([owed("push", "push", at - 2), owed("new", "issue_comment", at)]);
  await store.owe([owed("old", "issue_comment", at - 1), owed("push", "push", 7)]);
  const guids = async () => (await store.owed(10)).map(({ guid, asks }) => `${guid} ${asks}`);
  expect(await guids()).toEqual(["old 0", "new 0", "push 0"]);
  expect((await store.owed(1))[0]).toMatchObject({
    id: "3804004623172239366",
    deliveredAt: at - 1,
  });

  await store.ask("old", { asks: 1, againInMs: 60_000 });
  await store.settleOwed(["new", "unknown"]);
  await store.owe([owed("new", "issue_comment", at)]);
  expect(await guids()).toEqual(["push 0"]);
  await sqlOn(place, "update owed_deliveries set next_at = next_at - 60001 where guid = 'old'");
  expect(await guids()).toEqual(["old 1", "push 0"]);

  await store.saw(aDelivery("kept"));
  await store.saw(aDelivery("gone"));
  await sqlOn(place, `update deliveries set received_at = 1 where guid = 'gone'`);
  await sqlOn(place, `update owed_deliveries set delivered_at = 1 where guid = 'push'`);
  await store.forget(day);
  expect(await store.came(["kept", "gone"])).toEqual(new Set(["kept"]));
  expect(await guids()).toEqual(["old 1"]);
});
