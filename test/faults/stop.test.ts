import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { armFaults, dozing } from "../support/fault-world.ts";
import { join, startWebWorld } from "../support/fleet.ts";
import { silentLog } from "../support/log.ts";
import type { ChatRequest, ScriptedReply } from "../support/model-server.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { taskOf } from "../support/world.ts";
import { PATIENCE, type WorldRepository } from "../support/world-repository.ts";
import { writes } from "./moments.ts";

/** What is promised is 2 s: a look each second. A loaded machine may need longer for the rest. */
const STOPPED_MS = 10_000;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const chunk = (content: string) => ({
  choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }],
});

/** A model that answers some tasks never, in drops, or with a refusal. */
async function model(request: ChatRequest): Promise<ScriptedReply> {
  const task = taskOf(request);
  if (task.includes("silent")) return new Promise(() => undefined);
  if (task.includes("stream")) {
    return { chunks: Array.from({ length: 100 }, () => chunk("and ")), gapMs: 300 };
  }
  if (task.includes("later")) return { status: 429, headers: { "retry-after": "600" }, body: "" };
  const running = request.messages.some(({ role }) => role === "assistant");
  if (task.includes("command") && !running) {
    return { toolCalls: [{ name: "shell", arguments: { command: "sleep 300" } }] };
  }
  return writes(request);
}

test("stop-01 a job is stopped by a process that does not run it: in a command, a model call, a check, the set-up, a push, a claim, while it waits and before it begins; by the word, by deleting the command, and by closing the pull request", {
  timeout: 300_000 * PATIENCE,
}, async () => {
  const url = await server.database();
  const place = { url, log: silentLog };
  const pushing = Promise.withResolvers<void>();
  let holds = false;
  const fault = (request: RecordedRequest): Fault | undefined => {
    if (!holds || !request.path.endsWith("/pushes.git/git-receive-pack")) return;
    pushing.resolve();
    return { when: "before", answer: "hang" };
  };
  const world = await startWebWorld(url, {
    fault,
    model,
    config: "checks: ['sleep 300']\n",
    repositories: { tools: { config: "setup: ['sleep 300']\n" }, pushes: {} },
  });
  const shop = world;
  const [tools, pushes] = [world.at("tools"), world.at("pushes")];
  // As many as there are jobs that keep their place: the last one has to wait.
  const worker = await join(
    world,
    ["worker"],
    {
      DATABASE_URL: url,
      DATA_DIR: path.join(world.home, "worker"),
      DRAFTSMITH_CONCURRENCY: "7",
      DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: "7",
    },
    { faulty: true },
  );
  /** Resolves when the job of that task is where `which` says: a condition on its row. */
  const until = (task: string, which: string) =>
    vi.waitFor(
      async () => {
        const like = `spec like '%"task":"add ${task}"%'`;
        expect([task, await sqlOn(place, `select 1 from jobs where ${like} and ${which}`)]).toEqual(
          [task, [expect.anything()]],
        );
      },
      { timeout: 60_000 * PATIENCE, interval: 100 },
    );
  const asked = (task: string) =>
    vi.waitFor(
      () => expect(world.model.requests.map(({ body }) => taskOf(body))).toContain(`add ${task}`),
      { timeout: 60_000 * PATIENCE, interval: 100 },
    );
  const started = "exists (select 1 from events where job_id = jobs.id and type = 'tool_started')";

  // One that was closed while more was added to it.
  await pushes.say("/codex add first");
  await pushes.ended();
  const [pull] = pushes.pulls();
  const number = pull?.number ?? 0;
  await pushes.say("/codex add command", number);
  await until("command", started);
  const closedAt = Date.now();
  await world.github.closePull({ repository: "pushes", number, login: "ada" });
  await told(pushes, number, /🚫 cancelled.*stopped: ada closed the pull request/);
  await report(closedAt, "closed");

  // One whose command was deleted.
  const deleted = world.issue({ title: "Other", body: "Please." });
  const comment = await shop.say("/codex add command-2", deleted);
  await until("command-2", started);
  const deletedAt = Date.now();
  await world.github.remove({ repository: "shop", comment, login: "ada" });
  await told(shop, deleted, /🚫 cancelled.*stopped: ada deleted the command/);
  await report(deletedAt, "deleted");

  holds = true;
  // First: nothing is claimed while one dozes in its claim.
  const other = pushes.issue({ title: "Push", body: "Please." });
  await pushes.say("/codex add pushed", other);
  await tools.say("/codex add prepared");
  await until("prepared", "state = 'running' and last_action = 'preparing'");
  await pushing.promise;
  await armFaults(worker.child, [
    { at: "store.claimNext:after", nth: 1, do: "doze", about: "claimed" },
  ]);
  const claimed = dozing(worker.child, 1);
  // By a model of its own: its provider wants that not to be asked for a while.
  await shop.say("/codex add later --model gpt-5-nano");
  await until("later", "last_action like 'waiting %' and lease_owner is null");
  const waits = ["command-3", "silent", "stream", "checked", "claimed"];
  await shop.say(`/codex\n${waits.map((name) => `- add ${name}`).join("\n")}`);
  await Promise.all([
    until("command-3", started),
    asked("silent"),
    asked("stream"),
    until("checked", "state = 'verifying'"),
    claimed,
  ]);
  // All places are taken.
  await shop.say("/codex add last");
  await until("last", "state = 'queued'");
  const stoppedAt = Date.now();
  await Promise.all([
    shop.say("/codex stop"),
    pushes.say("/codex stop", other),
    tools.say("/codex stop"),
  ]);
  worker.child.kill("SIGCONT");
  await shop.ended(1, 3);
  for (const board of shop.answers(1).filter(({ body }) => body.includes("draftsmith:board"))) {
    expect(board.body).not.toMatch(/✅|❌|⛔/);
  }
  await told(pushes, other, /🚫 cancelled.*stopped by ada/);
  await told(tools, 1, /🚫 cancelled.*stopped by ada/);
  await report(stoppedAt, "stopped");

  const open = "select id from jobs where lease_owner is not null or ended_at is null";
  expect(await sqlOn(place, open)).toEqual([]);
  expect(shop.pulls()).toEqual([]);
  expect(pushes.pulls()).toHaveLength(1);
  for (const { bare } of [shop, pushes, tools]) {
    const refs = ["for-each-ref", "--format=%(refname)"];
    await vi.waitFor(async () => expect(await git(bare, refs)).not.toMatch(/draftsmith/), 60_000);
  }
  const workspaces = path.join(world.home, "worker", "work", "workspaces");
  await vi.waitFor(() => expect(readdirSync(workspaces), worker.log().slice(-6_000)).toEqual([]), {
    timeout: 20_000 * PATIENCE,
    interval: 250,
  });

  // A server that ends gives back what nobody stopped.
  await shop.say("/codex add silent-2", deleted);
  await asked("silent-2");
  expect(await worker.stop("SIGTERM")).toBe(0);
  const left = "select attempts, lease_owner from jobs where ended_at is null";
  expect(await sqlOn(place, left)).toEqual([{ attempts: 0, lease_owner: null }]);

  /** How long the jobs took that were cancelled since; prints it. */
  async function report(since: number, how: string): Promise<void> {
    const rows = await sqlOn(
      place,
      `select spec, ended_at from jobs where state = 'cancelled' and ended_at >= ${since} order by ended_at`,
    );
    const took = rows.map(({ spec, ended_at }) => {
      const { task } = JSON.parse(String(spec)) as { task: string };
      return { task, ms: Number(ended_at) - since };
    });
    const shown = took.map(({ task, ms }) => `${task.replace("add ", "")} ${ms}`);
    console.info(`${how}, and ended after, ms: ${shown.join(", ")}`);
    expect(took).not.toEqual([]);
    for (const { ms } of took) expect(ms).toBeLessThan(STOPPED_MS * PATIENCE);
  }
});

/** Waits until something on an issue says so. */
function told(repository: WorldRepository, issue: number, words: RegExp): Promise<void> {
  return vi.waitFor(
    () =>
      expect(repository.answers(issue).map(({ body }) => body)).toContainEqual(
        expect.stringMatching(words),
      ),
    { timeout: 60_000 * PATIENCE, interval: 100 },
  );
}
