import { expect, test } from "vitest";
import { createOutbox } from "../../src/jobs/outbox.ts";
import { tellEndings, tellOnce, tellPlaces } from "../../src/jobs/places.ts";
import { silentLog } from "../support/log.ts";
import { newPlace, storeOn } from "../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../support/store-rows.ts";

async function world() {
  const place = await newPlace();
  const store = await storeOn(place);
  const outbox = createOutbox({
    store,
    owner: "here/1",
    byGit: true,
    follow: async () => null,
    killSwitch: { paused: async () => null },
    // Nothing is told to GitHub here: the rows are looked at.
    performer: { perform: () => new Promise(() => undefined) },
    redact: (text) => text,
    now: Date.now,
    log: silentLog,
  });
  const ask = async (id: string, repo: number, count: number, at: number) => {
    const command = aCommand(id, {
      repo: { installationId: repo, id: repo, owner: "octo", name: `r${repo}` },
    });
    const jobs = Array.from({ length: count }, (_, index) =>
      aJob(`${id}-${index + 1}`, command, { number: index + 1, createdAt: at }),
    );
    await acceptJobs(store, command, jobs);
  };
  const board = async (id: string) => {
    const row = await store.get(`board:${id}`);
    return row?.act.kind === "comment" ? row.act.body : "";
  };
  const deps = { queue: store, shared: store, outbox, now: Date.now };
  const tell = () => tellOnce(deps);
  return { store, deps, ask, board, tell, endings: () => tellEndings(deps) };
}

test("a board says how many go before its jobs, by the order they are really taken in", async () => {
  const { store, ask, board, tell } = await world();
  await ask("a", 1, 3, 1);
  await ask("b", 2, 1, 9);
  await tell();
  expect(await board("a")).toMatch(
    /⏳ queued, next .*⏳ queued, 2 before it .*⏳ queued, 3 before it/s,
  );
  expect(await board("b")).toContain("⏳ queued, 1 before it");

  const taken: (string | undefined)[] = [];
  for (let at = 0; at < 4; at += 1) taken.push((await claimNext(store))?.id);
  expect(taken).toEqual(["a-1", "b-1", "a-2", "a-3"]);
});

test("a job that somebody holds has no place, and the others move up", async () => {
  const { store, ask, board, tell } = await world();
  await ask("a", 1, 3, 1);
  await tell();
  await claimNext(store);
  await tell();
  const said = await board("a");
  expect(said).toContain("⏳ queued, next");
  expect(said).toContain("⏳ queued, 1 before it");
  expect(said).not.toContain("2 before it");
  expect(said.match(/⏳ queued/g)).toHaveLength(3);
});

test("nothing is told anew when nothing moved", async () => {
  const { store, ask, tell } = await world();
  await ask("a", 1, 2, 1);
  await tell();
  const before = await store.get("board:a");
  await tell();
  expect((await store.get("board:a"))?.version).toBe(before?.version);
});

test("an ending that was stored by who died then is told, and told once", async () => {
  const { store, ask, board, endings } = await world();
  await ask("a", 1, 1, 1);
  const job = await claimNext(store);
  const end = { state: "cancelled", endedAt: Date.now() } as const;
  expect(await store.write("a-1", job?.fence ?? 0, end)).toBe(true);
  expect(await board("a")).not.toContain("🚫 cancelled");
  await endings();
  expect(await board("a")).toContain("🚫 cancelled");
  const told = await store.get("board:a");
  await endings();
  expect(await store.get("board:a")).toEqual(told);
});

test("a process that does not lead looks seldom whether it may", async () => {
  const { store, deps } = await world();
  let asked = 0;
  const shared = {
    ...store,
    hold: async () => {
      asked += 1;
      return false;
    },
    letGo: async () => undefined,
  };
  const telling = tellPlaces({ ...deps, shared, owner: "here/2", log: silentLog });
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await telling.stop();
  expect(asked).toBe(1);
});
