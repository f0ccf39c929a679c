import { once } from "node:events";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { armFaults, dozing } from "../support/fault-world.ts";
import { join, startWebWorld } from "../support/fleet.ts";
import { silentLog } from "../support/log.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { startWorld, taskOf, type World } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { costOf, inOrder, momentsOf, writes } from "./moments.ts";
import { nightly } from "./size.ts";

/** At which request a job of that name is when its worker freezes, and whether GitHub does it then. */
const HELD: { name: string; at: string; done: boolean; everyday?: true }[] = [
  { name: "charlie", at: "git/commits", done: false },
  { name: "delta", at: "git/commits", done: true, everyday: true },
  { name: "echo", at: "git/refs", done: true },
  { name: "foxtrot", at: "pulls", done: false },
  { name: "golf", at: "pulls", done: true, everyday: true },
];
const held = HELD.filter(({ everyday }) => nightly || everyday);
const moments = momentsOf("frozen");
const requests = ["alpha", "bravo", ...held.map(({ name }) => name)];
const names = [...requests, ...moments.map(({ name }) => name)];
/** What being frozen costs: a reply that is under way is asked for again, a command that is, called again. */
const costs: Record<string, { asked: number; steps: number }> = {
  alpha: { asked: 1, steps: 0 },
  bravo: { asked: 1, steps: 1 },
  ...Object.fromEntries(moments.map((moment) => [moment.name, costOf(moment)])),
};

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

test("frozen-01 a worker is frozen by SIGSTOP in a model call, a command, a snapshot, a push, each act of publishing, a claim and while it settles, and wakes when another has ended its jobs", {
  timeout: 600_000 * PATIENCE,
}, async () => {
  const url = await server.database();
  const there = new Set<string>();
  const all = Promise.withResolvers<void>();
  const frozen = Promise.withResolvers<void>();
  const arrive = async (name: string) => {
    there.add(name);
    if (there.size === requests.length) all.resolve();
    await frozen.promise;
  };
  let asleep = false;
  const fault = async (request: RecordedRequest): Promise<Fault | undefined> => {
    const text = JSON.stringify(request.body);
    const caught = held.find(
      ({ name, at }) =>
        request.method === "POST" && request.path.endsWith(`/shop/${at}`) && text.includes(name),
    );
    if (!caught || asleep) return;
    await arrive(caught.name);
    return caught.done ? undefined : { when: "before", answer: "drop" };
  };
  const world = await startWebWorld(url, {
    fault,
    model: async (request) => {
      const task = taskOf(request);
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (!asleep && task.includes("alpha") && replies === 1) await arrive("alpha");
      // Its command runs by the time the others have come as far as they should.
      if (!asleep && task.includes("bravo") && replies === 0) setImmediate(() => arrive("bravo"));
      if (task.includes("bravo") && replies === 0) {
        const command = "touch begun; sleep 200";
        return { toolCalls: [{ name: "shell", arguments: { command } }] };
      }
      return writes(request);
    },
  });
  const worker = (name: string, how: { faulty: boolean }) => {
    const room = String(names.length);
    const env = { DRAFTSMITH_CONCURRENCY: room, DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: room };
    const dir = { DATABASE_URL: url, DATA_DIR: path.join(world.home, name) };
    return join(world, ["worker"], { ...env, ...dir }, how);
  };
  const first = await worker("first", { faulty: true });
  await armFaults(
    first.child,
    moments.map(({ name, at }) => ({ at, nth: 1, do: "doze", about: name })),
  );
  const issues = new Map<string, number>();
  for (const batch of inOrder(names, moments)) {
    const dozes = batch.filter((name) => moments.some((moment) => moment.name === name));
    const doze = dozing(first.child, dozes.length);
    for (const name of batch) {
      const issue = world.issue({ title: name, body: "Please." });
      issues.set(name, issue);
      await world.say(`/codex add ${name}`, issue);
    }
    await doze;
  }
  await all.promise;
  first.child.kill("SIGSTOP");
  asleep = true;
  frozen.resolve();
  await worker("second", { faulty: false });
  await vi.waitFor(
    () => {
      const told = [...issues.values()].flatMap((issue) => world.answers(issue));
      expect(told.filter(({ body }) => body.includes("✅ done"))).toHaveLength(names.length);
    },
    { timeout: 300_000 * PATIENCE, interval: 250 },
  );
  await vi.waitFor(async () => expect(await refs(world.bare)).not.toContain("refs/draftsmith"), {
    timeout: 60_000 * PATIENCE,
    interval: 250,
  });
  const before = { asked: world.model.requests.length, refs: await refs(world.bare) };
  const woken = first.log().length;
  first.child.kill("SIGCONT");
  await vi.waitFor(() => expect(first.log().slice(woken)).toMatch(/given up here/), {
    timeout: 60_000 * PATIENCE,
    interval: 100,
  });
  expect(await first.stop("SIGTERM")).toBe(0);

  expect(world.model.requests).toHaveLength(before.asked);
  expect(await refs(world.bare)).toEqual(before.refs);
  const spent = await spends(url);
  for (const [name, issue] of issues) {
    expect(world.answers(issue)).toHaveLength(1);
    const asked = world.model.requests.filter(({ body }) => taskOf(body).includes(name));
    const cost = costs[name] ?? { asked: 0, steps: 0 };
    expect([name, asked.length]).toEqual([name, 2 + cost.asked]);
    // Each request stands in the ledger once, that of the sleeper too.
    expect(spent.get(name)).toEqual({ steps: 2 + cost.steps, calls: asked.length });
    await expectUndisturbed(world, name, issue);
  }
  expect(world.pulls()).toHaveLength(names.length);
});

/** One pull request, whose branch holds one commit with the one file that was asked for. */
async function expectUndisturbed(world: World, name: string, issue: number): Promise<void> {
  const pulls = world.pulls().filter(({ head }) => head.startsWith(`codex/${issue}-`));
  expect([name, pulls.length]).toEqual([name, 1]);
  const range = `main..${pulls[0]?.head}`;
  const log = await git(world.bare, ["log", "--format=%P %s", "--name-status", range]);
  expect(log).toBe(`${world.baseSha} Add ${name}\n\nA\t${name}.txt`);
}

/** Steps and calls of each job. */
async function spends(url: string): Promise<Map<string, { steps: number; calls: number }>> {
  const counted =
    "(select count(*) from calls where job_id = jobs.id and state <> 'void') as calls";
  const rows = await sqlOn({ url, log: silentLog }, `select spec, spend, ${counted} from jobs`);
  return new Map(
    rows.map(({ spec, spend, calls }) => {
      const { task } = JSON.parse(String(spec)) as { task: string };
      const { steps } = JSON.parse(String(spend)) as { steps: number };
      return [task.replace("add ", ""), { steps, calls: Number(calls) }];
    }),
  );
}

/** All refs, and where they stand. */
function refs(bare: string): Promise<string> {
  return git(bare, ["for-each-ref", "--format=%(refname) %(objectname)"]);
}

/** What a process may be telling people when it is frozen: of which task, and at which failpoint. */
const TELLING = [
  { about: "add hotel", at: "github.perform:comment:before", nth: 1 },
  { about: "add india", at: "github.perform:comment:after", nth: 1 },
  { about: "add juliett", at: "github.perform:comment:before", nth: 2 },
  { about: "kilo", at: "github.perform:check_run:before", nth: 1 },
  { about: "lima", at: "github.perform:check_run:after", nth: 1 },
  { about: "**eve**", at: "github.perform:comment:after", nth: 1 },
];

// An act is taken over after 30 s: too long for everyday runs.
test.each(nightly ? [TELLING] : [])(
  "frozen-02 a server is frozen while it creates a board, edits one, refuses a comment and writes check runs, and wakes when another has told it all",
  { timeout: 600_000 * PATIENCE },
  async (...telling) => {
    const url = await server.database();
    const world = await startWorld({
      model: writes,
      failpoints: true,
      env: { DATABASE_URL: url, DRAFTSMITH_CONCURRENCY: "8" },
    });
    await armFaults(
      world.child(),
      telling.map((each) => ({ ...each, do: "doze" as const })),
    );
    const doze = dozing(world.child(), telling.length);
    const tasks = ["hotel", "india", "juliett", "kilo", "lima"];
    const issues: number[] = [];
    for (const task of tasks) {
      const issue = world.issue({ title: task, body: "Please." });
      issues.push(issue);
      await world.say(`/codex add ${task}`, issue);
    }
    await world.say("/codex add more", 1, "eve");
    await doze;
    world.child().kill("SIGSTOP");
    const dir = path.join(world.home, "second");
    await join(world, ["worker"], { DATABASE_URL: url, DATA_DIR: dir });
    const runs = () => world.github.repository("shop").checkRuns;
    await vi.waitFor(
      () => {
        const boards = issues.flatMap((issue) => world.answers(issue));
        expect(boards.filter(({ body }) => body.includes("✅ done"))).toHaveLength(tasks.length);
        expect(runs()).toHaveLength(tasks.length);
        expect(world.answers(1)).toHaveLength(1);
      },
      { timeout: 200_000 * PATIENCE, interval: 250 },
    );
    const asked = world.github.requests.length;
    const child = world.child();
    child.kill("SIGCONT");
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    const written = world.github.requests
      .slice(asked)
      .filter(({ method, path: to }) => method !== "GET" && /comments|check-runs/.test(to));
    expect(written).toEqual([]);
    for (const issue of issues) expect(world.answers(issue)).toHaveLength(1);
    expect(world.answers(1)).toHaveLength(1);
    expect(runs()).toHaveLength(tasks.length);
    expect(world.pulls()).toHaveLength(tasks.length);
  },
);
