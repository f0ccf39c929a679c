import { expect, onTestFinished, test, vi } from "vitest";
import type { Store } from "../../src/adapters/store/store.ts";
import { type Act, jobLane } from "../../src/core/act.ts";
import { TransientError, UserError } from "../../src/core/errors.ts";
import type { RepoRef } from "../../src/core/job.ts";
import type { Performer } from "../../src/core/ports.ts";
import { createOutbox, type Outbox } from "../../src/jobs/outbox.ts";
import { silentLog } from "../support/log.ts";
import { storeOn } from "../support/open-test-store.ts";
import { aCommand, aComment, acceptJobs, aJob, claimNext } from "../support/store-rows.ts";

/** An outbox whose acts are performed by `perform`, and the acts it performed. */
function outboxOn(
  store: Store,
  perform: (act: Act, previous: unknown) => Promise<unknown>,
  paused: () => Promise<string | null> = async () => null,
  follow: (repo: RepoRef) => Promise<RepoRef | null> = async () => null,
) {
  const performed: Act[] = [];
  const performer = {
    perform: async (act: Act, previous: unknown) => {
      performed.push(act);
      return perform(act, previous);
    },
  } as Performer;
  const outbox: Outbox = createOutbox({
    store,
    owner: "here/1",
    byGit: true,
    killSwitch: { paused },
    performer,
    follow,
    redact: (text) => text.replaceAll("s3cret", "[redacted]"),
    now: () => Date.now(),
    log: silentLog,
  });
  onTestFinished(() => outbox.stop());
  return { outbox, performed };
}

const push: Act = {
  kind: "push",
  repo: { installationId: 1, id: 2, owner: "a", name: "b" },
  commit: "c".repeat(40),
  ref: "refs/draftsmith/x",
};
const commit: Act = {
  kind: "commit",
  repo: push.repo,
  tree: "d".repeat(40),
  parents: [],
  message: "a s3cret message",
};

const holderOf = (
  jobId: string,
  insist: () => void = () => undefined,
  signal = new AbortController().signal,
) => ({ jobId, fence: 1, signal, insist, goOn: insist });

/** The claim of a job that waits for its acts. */
async function held(store: Store) {
  const command = aCommand("of the held job");
  await acceptJobs(store, command, [aJob("held", command)]);
  await claimNext(store);
  return holderOf("held");
}

test("an act is performed once, and its value is kept for who asks again", async () => {
  const store = await storeOn();
  const { outbox, performed } = outboxOn(store, async () => ({ sha: "e".repeat(40) }));
  const first = await outbox.perform<"commit">("commit:1", "job:1", commit, await held(store));
  const second = await outbox.perform<"commit">("commit:1", "job:1", commit, await held(store));
  expect([first, second]).toEqual([{ sha: "e".repeat(40) }, { sha: "e".repeat(40) }]);
  expect(performed).toHaveLength(1);
});

test("a text that an earlier process left is performed after the next start", async () => {
  const store = await storeOn();
  await store.put(aComment("board:1", "hello"), 0);
  const done = Promise.withResolvers<void>();
  const { outbox } = outboxOn(store, async () => {
    done.resolve();
    return { id: 7 };
  });
  outbox.wake();
  await done.promise;
});

test("what would publish a change waits until its job asks for it again", async () => {
  const store = await storeOn();
  const command = aCommand("command");
  await acceptJobs(store, command, [aJob("job", command)]);
  await claimNext(store);
  await store.putHeld(
    { key: "push:1", lane: jobLane("job"), act: push },
    { jobId: "job", fence: 1 },
  );
  await store.put(aComment("board:1", "hello"), 0);
  const { outbox, performed } = outboxOn(store, async () => ({ id: 7 }));
  outbox.wake();
  await vi.waitFor(() => expect(performed).toHaveLength(1));
  expect(performed[0]?.kind).toBe("comment");
  await outbox.perform<"push">("push:1", jobLane("job"), push, holderOf("job"));
  expect(performed[1]?.kind).toBe("push");
});

test("a failure that may pass is tried again at the time it names", async () => {
  const store = await storeOn();
  let tries = 0;
  const { outbox } = outboxOn(store, async () => {
    tries++;
    if (tries === 1) throw new TransientError("502", { retryAt: Date.now() + 50 });
    return null;
  });
  await outbox.perform<"push">("push:1", "job:1", push, await held(store));
  expect(tries).toBe(2);
});

test("a failure that will not pass reaches who waits, and blocks no other lane", async () => {
  const store = await storeOn();
  const { outbox } = outboxOn(store, async (act) => {
    if (act.kind === "push") throw new UserError("the issue is locked");
    return { id: 7 };
  });
  const failing = outbox.perform<"push">("push:1", "job:1", push, await held(store));
  await expect(failing).rejects.toThrow("the issue is locked");
  await expect(outbox.perform<"push">("push:1", "job:1", push, await held(store))).rejects.toThrow(
    "the issue is locked",
  );
  await outbox.put(aComment("board:1", "hello"));
  await vi.waitFor(async () => expect(await store.get("board:1")).toMatchObject({ state: "done" }));
});

test("acts of one lane are performed in order, of two lanes side by side", async () => {
  const store = await storeOn();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { outbox } = outboxOn(store, async (act) => {
    if (act.kind === "push" && act.ref.endsWith("slow")) await gate.promise;
    if (act.kind === "push") order.push(act.ref);
    return null;
  });
  const by = await held(store);
  const slow = outbox.perform<"push">("1", "one", { ...push, ref: "refs/x/slow" }, by);
  const next = outbox.perform<"push">("2", "one", { ...push, ref: "refs/x/next" }, by);
  await outbox.perform<"push">("3", "two", { ...push, ref: "refs/x/other" }, by);
  expect(order).toEqual(["refs/x/other"]);
  gate.resolve();
  await Promise.all([slow, next]);
  expect(order).toEqual(["refs/x/other", "refs/x/slow", "refs/x/next"]);
});

test("many edits of one comment become few, the newest wins, and the comment's id is handed on", async () => {
  const store = await storeOn();
  const bodies: string[] = [];
  const previous: unknown[] = [];
  const last = Promise.withResolvers<void>();
  const { outbox } = outboxOn(store, async (act, before) => {
    if (act.kind !== "comment") return null;
    bodies.push(act.body);
    previous.push(before);
    if (act.body === "state 20") last.resolve();
    return { id: 9 };
  });
  for (let n = 1; n <= 20; n++) await outbox.put(aComment("board:1", `state ${n}`));
  await last.promise;
  expect(bodies.length).toBeLessThan(6);
  expect(bodies.at(-1)).toBe("state 20");
  expect(previous[0]).toBeNull();
  expect(previous.at(-1)).toEqual({ id: 9 });
});

test("secrets are taken out of every text that leaves", async () => {
  const store = await storeOn();
  const { outbox, performed } = outboxOn(store, async () => ({ sha: "e".repeat(40) }));
  await outbox.perform<"commit">("commit:1", "job:1", commit, await held(store));
  expect(JSON.stringify(performed)).not.toContain("s3cret");
  expect(performed[0]).toMatchObject({ message: "a [redacted] message" });
});

test("while the operator pauses the server, texts go out and nothing is published", async () => {
  const store = await storeOn();
  let paused: string | null = "looking into something";
  const { outbox, performed } = outboxOn(
    store,
    async () => ({ id: 1 }),
    async () => paused,
  );
  const pushed = outbox.perform<"push">("push:1", "job:1", push, await held(store));
  await outbox.put(aComment("board:1", "hello"));
  await vi.waitFor(() => expect(performed.map((act) => act.kind)).toEqual(["comment"]));
  paused = null;
  outbox.wake();
  await pushed;
  expect(performed.map((act) => act.kind)).toEqual(["comment", "push"]);
});

test("a text of a repository that moved is written where it is now", async () => {
  const store = await storeOn();
  const keyed = aComment("board:1", "hello");
  const moved = { ...keyed.act.repo, installationId: 78, owner: "globex" };
  const done = Promise.withResolvers<Act>();
  outboxOn(
    store,
    async (act) => {
      if (act.repo.owner !== "globex") throw new UserError("not here");
      done.resolve(act);
      return { id: 1 };
    },
    async () => null,
    async (repo) => {
      if (repo.owner === "globex") return null;
      await store.renamed(moved);
      return moved;
    },
  ).outbox.put(keyed);
  expect((await done.promise).repo).toEqual(moved);
});

test("what was refused is not tried at each edit, and once more when the last word is said", async () => {
  const store = await storeOn();
  const refused = async () => {
    for (const row of await store.take({ owner: "me", leaseMs: 9, asked: [], except: [] })) {
      await store.dead(row.id, "me", row.version, "locked");
    }
  };
  const state = async () => (await store.get("board:1"))?.state;
  await store.put(aComment("board:1", "first"), 3000);
  await refused();
  await store.put(aComment("board:1", "second"), 3000);
  await store.put(aComment("board:1", "third"), 3000);
  expect(await state()).toBe("dead");
  await store.put(aComment("board:1", "last"), 0);
  expect(await state()).toBe("pending");
  await refused();
  expect(await store.get("board:1")).toMatchObject({ state: "dead", act: { body: "last" } });
});
