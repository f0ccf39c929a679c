import { expect, test } from "vitest";
import type { Command, Job } from "../../../../src/core/job.ts";
import { storeOn } from "../../../support/open-test-store.ts";
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

test("an accepted command comes back whole, with its jobs in order and its acts due at once", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  const jobs = [
    aJob("j-b", command, { number: 2 }),
    aJob("j-a", command, { number: 10 }),
    aJob("j-c", command),
  ];
  const acts = [aComment("board", "queued"), aComment("reaction", "eyes")];

  expect(
    await store.accept({ delivery: aDelivery("d1"), command, jobs, acts, admit: admitAll }),
  ).toBe("accepted");

  expect(await store.command("c1")).toEqual(command);
  expect((await store.jobsOf("c1")).map((job) => job.id)).toEqual(["j-c", "j-b", "j-a"]);
  expect(await store.job("j-b")).toEqual(jobs[0]);
  expect((await due(store)).map((row) => row.act)).toEqual(acts.map((each) => each.act));
});

test("the same delivery five times at once makes one command", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  const intake = {
    delivery: aDelivery("d1"),
    command,
    jobs: [aJob("j1", command)],
    acts: [aComment("board", "queued")],
    admit: admitAll,
  };

  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => store.accept(intake)));

  expect(answers.toSorted()).toEqual(["accepted", ...Array(4).fill("duplicate")]);
  expect(await store.unfinished()).toEqual(["j1"]);
  expect(await due(store)).toHaveLength(1);
});

test("another delivery of a known comment adds nothing and is known from then on", async () => {
  const store = await storeOn();
  const first = aCommand("c1", { key: "repo/comment" });
  await acceptJobs(store, first, [aJob("j1", first)]);
  const again = aCommand("c2", { key: "repo/comment" });

  const answer = await store.accept({
    delivery: aDelivery("d2"),
    command: again,
    jobs: [aJob("j2", again)],
    acts: [aComment("second board", "queued")],
    admit: admitAll,
  });

  expect(answer).toBe("duplicate");
  expect(await store.command("c2")).toBeNull();
  expect(await store.job("j2")).toBeNull();
  expect(await store.get("second board")).toBeNull();
  expect(await store.known("d2", "no such command")).toBe(true);
});

test("when one row cannot be stored, nothing is: the delivery can be sent again", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  const jobs = [aJob("j1", command), aJob("j1", command, { key: "another key", number: 2 })];
  const acts = [aComment("board", "queued")];

  await expect(
    store.accept({ delivery: aDelivery("d1"), command, jobs, acts, admit: admitAll }),
  ).rejects.toThrow(
    /UNIQUE constraint failed: jobs.id|duplicate key value violates unique constraint "jobs_pkey"/,
  );

  expect(await store.known("d1", command.key)).toBe(false);
  expect(await store.unfinished()).toEqual([]);
  expect(await store.dueIn([], [])).toBeNull();
  const sound = {
    delivery: aDelivery("d1"),
    command,
    jobs: jobs.slice(0, 1),
    acts,
    admit: admitAll,
  };
  expect(await store.accept(sound)).toBe("accepted");
});

test("a delivery that starts no work is answered once", async () => {
  const store = await storeOn();
  const answer = (key: string) => store.answer(aHeard("d1"), [aComment(key, "how to")], admitAll);
  expect(await answer("usage")).toBe("accepted");
  expect(await answer("usage again")).toBe("duplicate");
  expect((await due(store)).map((row) => row.key)).toEqual(["usage"]);
  expect(await store.known("d1", "none")).toBe(true);
  expect(await store.known("d2", "none")).toBe(false);
});

test("a delivery without an action is stored", async () => {
  const store = await storeOn();
  const delivery = { guid: "d1", event: "ping", action: null };
  expect(await store.answer(aHeard("d1", { delivery }), [], admitAll)).toBe("accepted");
});

test("a command is known by its key under any delivery", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob("j1", command)]);
  expect(await store.known("never seen", command.key)).toBe(true);
});

test("a pull request leads to the job that opened it, in its own repository only", async () => {
  const store = await storeOn();
  const command = aCommand("c1");
  const elsewhere = { ...command.repo, id: command.repo.id + 1 };
  const followUp: Job["target"] = {
    kind: "follow_up",
    branch: "codex/12-a",
    base: "main",
    pull: 40,
  };
  await acceptJobs(store, command, [
    aJob("follow-up", command, { target: followUp, createdAt: 1 }),
    aJob("opener", command, { number: 2 }),
    aJob("other repository", command, { number: 3, repo: elsewhere }),
    aJob("unpublished", command, { number: 4 }),
  ]);
  const publication = {
    pull: 40,
    url: "https://github.test/pull/40",
    headSha: "b".repeat(40),
    draft: true,
  };
  for (const id of ["follow-up", "opener", "other repository"]) {
    expect(await store.write(id, 0, { publication })).toBe(true);
  }

  expect((await store.jobOfPull(command.repo.id, 40))?.id).toBe("opener");
  expect((await store.jobOfPull(elsewhere.id, 40))?.id).toBe("other repository");
  expect(await store.jobOfPull(command.repo.id, 41)).toBeNull();
});

test("text comes back as it was written, in any script", async () => {
  const store = await storeOn();
  const task = "überarbeite 認証 👩‍👩‍👧‍👦 \u202e עברית ' \" \\ \r\n `--` ; DROP TABLE jobs";
  const command = aCommand("c1", { actor: { id: 5, login: "ådä" } });
  await acceptJobs(store, command, [aJob("j1", command, { task, lastAction: task, reason: task })]);

  const job = await store.job("j1");

  expect([job?.task, job?.lastAction, job?.reason]).toEqual([task, task, task]);
  expect((await store.command("c1"))?.actor.login).toBe("ådä");
});

test("a command that an earlier version stored has no text of its issue", async () => {
  const store = await storeOn();
  const { subject: _, ...old } = aCommand("c1");
  await acceptJobs(store, old as Command, [aJob("j1", aCommand("c1"))]);

  expect(await store.command("c1")).toEqual({ ...old, subject: null });
});
