import { expect, test } from "vitest";
import type { Store } from "../../../../src/adapters/store/store.ts";
import type { Command, Job } from "../../../../src/core/job.ts";
import { ledgerCsv } from "../../../../src/jobs/ledger-csv.ts";
import { aCall, answered, caps } from "../../../support/calls.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../../../support/store-rows.ts";

const EVER = { from: 0, until: Number.MAX_SAFE_INTEGER, repoId: null };
const REPO = aCommand("any").repo;
const publication = (pull: number) => ({
  pull,
  url: `https://github.test/pull/${pull}`,
  headSha: "b".repeat(40),
  draft: true,
});

/** Makes a job that costs so much, and ends it. */
async function spend(
  store: Store,
  id: string,
  cost: number,
  { state = "done", skill = "refactor", command = {}, job = {}, pull, endedAt }: Spending = {},
): Promise<void> {
  const given = aCommand(`command of ${id}`, command);
  await acceptJobs(store, given, [aJob(id, given, job)]);
  const claimed = await claimNext(store);
  if (claimed?.id !== id) throw new Error(`claimed ${claimed?.id}`);
  const { repo, actor } = given;
  const more = { commandId: given.id, repoId: repo.id, installationId: repo.installationId };
  const call = aCall(`call of ${id}`, id, { ...more, actorId: actor.id, skill });
  await store.reserve(call, caps());
  await store.settle(call.id, answered(cost));
  for (const next of STEPS[state]) {
    const ends = next === state;
    await store.write(id, 1, {
      state: next,
      ...(ends && pull !== undefined && { publication: publication(pull) }),
      ...(ends && endedAt !== undefined && { endedAt }),
    });
  }
}

const STEPS = {
  done: ["running", "verifying", "publishing", "done"],
  failed: ["failed"],
  cancelled: ["cancelled"],
} as const;

interface Spending {
  state?: keyof typeof STEPS;
  skill?: string | null;
  command?: Partial<Command>;
  job?: Partial<Job>;
  pull?: number;
  endedAt?: number;
}

test("history is of the repository and skill, and of more only where that is too little", async () => {
  const store = await storeOn();
  const here = { repoId: REPO.id, installationId: REPO.installationId, skill: "refactor" };
  expect(await store.history(here)).toEqual({ alike: "installation", costs: [] });
  for (let at = 1; at <= 5; at += 1) await spend(store, `r${at}`, at * 1_000, { endedAt: at });
  await spend(store, "tests", 50_000, { skill: "test", endedAt: 6 });
  await spend(store, "none", 60_000, { skill: null, endedAt: 7 });
  // Left out: what a person stopped, and what cost nothing.
  await spend(store, "stopped", 70_000, { state: "cancelled", endedAt: 8 });
  await spend(store, "free", 0, { endedAt: 9 });
  const elsewhere = { ...REPO, id: 77, name: "tools" };
  await spend(store, "other", 80_000, { command: { repo: elsewhere }, endedAt: 10 });

  expect(await store.history(here)).toEqual({
    alike: "skill",
    costs: [5_000, 4_000, 3_000, 2_000, 1_000],
  });
  expect(await store.history({ ...here, skill: null })).toEqual({
    alike: "repository",
    costs: [60_000, 50_000, 5_000, 4_000, 3_000, 2_000, 1_000],
  });
  expect(await store.history({ ...here, repoId: 77 })).toEqual({
    alike: "installation",
    costs: [80_000, 60_000, 50_000, 5_000, 4_000, 3_000, 2_000, 1_000],
  });
  expect((await store.history({ ...here, repoId: 78, installationId: 99 })).costs).toEqual([]);
});

test("what is used of each cap is told as it is now, reservations included", async () => {
  const store = await storeOn();
  await spend(store, "j1", 900);
  await spend(store, "j2", 70, { command: { actor: { id: 6, login: "bob" } } });
  const scope = { jobId: "j1", commandId: "command of j1", actorId: 5, repoId: REPO.id };
  const used = store.used(
    { ...scope, installationId: REPO.installationId },
    caps({ call: 5, job: 2_000, personDay: 3_000, installationMonth: 4_000, operatorMonth: 5_000 }),
  );
  expect(await used).toEqual([
    { cap: "call", spent: 0, limit: 5 },
    { cap: "job", spent: 900, limit: 2_000 },
    { cap: "personDay", spent: 900, limit: 3_000 },
    { cap: "installationMonth", spent: 970, limit: 4_000 },
    { cap: "operatorMonth", spent: 970, limit: 5_000 },
  ]);
});

test("a pull request costs what its jobs cost, follow-ups that failed included", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  const followUp = (pull: number): Partial<Job> => ({
    target: { kind: "follow_up", branch: "codex/12-x", base: "main", pull },
  });
  await spend(store, "a1", 1_000, { pull: 40, endedAt: 5_000 });
  await spend(store, "a2", 200, { job: followUp(40), pull: 40, endedAt: 9_000 });
  await spend(store, "a3", 30, { job: followUp(40), state: "failed", endedAt: 9_500 });
  await spend(store, "b1", 4_000, { pull: 41, endedAt: 6_000 });
  await spend(store, "old", 50_000, { pull: 39, endedAt: 1_000 });
  await spend(store, "vain", 600_000, { state: "failed", endedAt: 5_500 });
  const elsewhere = { ...REPO, id: 77, name: "tools" };
  await spend(store, "other", 7, { command: { repo: elsewhere }, pull: 40, endedAt: 5_000 });
  // Opened by a person, with our work added to it.
  await spend(store, "guest", 90, { job: followUp(50), pull: 50, endedAt: 5_000 });
  for (const pull of [40, 40, 39, 50, 999]) await store.merged(REPO.id, pull, 7_000);
  await sqlOn(place, "update calls set at = 5000");
  await sqlOn(place, "update calls set at = 100 where job_id = 'old'");

  const period = { from: 2_000, until: 8_000, repoId: null };
  const shop = {
    repoId: REPO.id,
    repository: "octo/shop",
    spent: 1_000 + 200 + 30 + 4_000 + 600_000 + 90,
    opened: { pulls: 2, microDollars: 1_230 + 4_000 },
    merged: { pulls: 2, microDollars: 1_230 + 50_000 },
  };
  const tools = {
    repoId: 77,
    repository: "octo/tools",
    spent: 7,
    opened: { pulls: 1, microDollars: 7 },
    merged: { pulls: 0, microDollars: 0 },
  };
  expect(await store.pullCosts(period)).toEqual([tools, shop]);
  expect(await store.pullCosts({ ...period, repoId: 77 })).toEqual([tools]);
  expect(await store.pullCosts({ ...period, from: 7_500, until: 7_600 })).toEqual([]);
  const merges = await sqlOn(place, "select pull from merges order by pull");
  // What nobody of ours worked on is not kept.
  expect(merges.map(({ pull }) => Number(pull))).toEqual([39, 40, 50]);
});

test("the ledger reads as CSV, filtered, page by page and without a formula", async () => {
  const place = await newPlace();
  const store = await storeOn(place);
  await spend(store, "j1", 850, { skill: null });
  const elsewhere = { ...REPO, id: 77, name: "tools" };
  await spend(store, "j2", 5, { command: { repo: elsewhere } });
  await sqlOn(
    place,
    `insert into calls (id, job_id, fence, command_id, actor_id, repo_id, installation_id, skill, step, provider, model, rule,
      state, micro_dollars, reserved, max_output, input_tokens, cached_tokens, output_tokens, price, reported, reason, at)
     select 'more-' || n.i, job_id, fence, command_id, actor_id, repo_id, installation_id, skill, step, provider, model, rule,
      'unknown', 1, 1, 1, 0, 0, 0, null, 0, '=cmd()', 1000 + n.i / 7
     from calls, (with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i from n) as n where id = 'call of j1'`,
  );
  const read = async (filter: Parameters<typeof ledgerCsv>[1]) => {
    const pieces: string[] = [];
    for await (const piece of ledgerCsv(store, filter)) pieces.push(piece);
    return { pieces, lines: pieces.join("").split("\r\n").slice(0, -1) };
  };

  const all = await read(EVER);
  expect(all.lines).toHaveLength(1 + 1_202);
  expect(all.pieces).toHaveLength(1 + 3);
  expect(new Set(all.lines).size).toBe(all.lines.length);
  expect(all.lines.filter((line) => line.includes("unpriced"))).toHaveLength(1_200);
  for (const line of all.lines) expect(line).not.toMatch(/(^|,)=/);
  const [names = ""] = all.lines;
  const [tools = ""] = (await read({ ...EVER, repoId: 77 })).lines.slice(1);
  expect(names.split(",").slice(2, 6)).toEqual([
    "repository",
    "repository_id",
    "installation_id",
    "person",
  ]);
  expect(tools.split(",").slice(2, 6)).toEqual(["octo/tools", "77", "7", "ada"]);
  expect(tools).toContain('"{""input"":1,""cached"":0.1,""output"":10}"');
  expect((await read({ ...EVER, from: 1_000, until: 1_001 })).lines).toHaveLength(1 + 6);
  expect((await read({ ...EVER, from: 5, until: 5 })).lines).toEqual([names]);
});
