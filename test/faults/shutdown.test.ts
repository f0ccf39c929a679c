import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { armFaults, dozing, openFaultWorld } from "../support/fault-world.ts";
import type { ChatRequest, ScriptedReply } from "../support/model-server.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { startWorld, taskOf, type World } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { writes } from "./moments.ts";
import { nightly } from "./size.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What a stop may take; most supervisors kill after 30 s. */
const STOP_MS = 25_000;

/** Waits until the server has heard a signal that came after so much of its log. */
const heard = (world: World, after: number) =>
  vi.waitFor(() => expect(world.log().slice(after)).toContain("stopping: what is under way"), {
    timeout: 20_000 * PATIENCE,
    interval: 20,
  });

test("shutdown-01 SIGTERM comes while eight jobs are in a command, model calls, a check and an act of publishing, and a webhook is under way: it ends with 0 in 25 s, and the next start goes on; a second signal ends it at once", {
  timeout: 400_000 * PATIENCE,
}, async () => {
  let holds = true;
  const publishing = Promise.withResolvers<void>();
  const calling = new Set<string>();
  const model = async (request: ChatRequest): Promise<ScriptedReply> => {
    const task = taskOf(request);
    const begun = request.messages.some(({ role }) => role === "assistant");
    calling.add(task);
    if (holds && task.includes("think")) return { fault: "hang" };
    if (task.includes("command") && (holds || !begun)) {
      return { toolCalls: [{ name: "shell", arguments: { command: "sleep 300" } }] };
    }
    return writes(request);
  };
  const fault = (request: RecordedRequest): Fault | undefined => {
    if (!holds || request.method !== "POST" || !request.path.endsWith("/shop/git/refs")) return;
    publishing.resolve();
    return { when: "after", answer: "hang" };
  };
  const { world, ...faults } = await openFaultWorld({
    model,
    fault,
    // Longer than it takes to stop the rest; the job of this repository is done with it then.
    repositories: { tools: { config: "checks: ['sleep 3']\n" } },
    env: { DRAFTSMITH_CONCURRENCY: "8", DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: "8" },
  });
  try {
    const thinkers = ["think-1", "think-2", "think-3", "think-4", "think-5"];
    const all = [...thinkers, "command", "publish"];
    await world.say(`/codex\n${all.map((name) => `- add ${name}`).join("\n")}`);
    await world.at("tools").say("/codex add checked");
    await Promise.all([publishing.promise, inFlight(), commands(1)]);
    await vi.waitFor(
      async () => {
        const busy = "select id from jobs where lease_owner is not null";
        expect(await sqlOn(world.place, busy)).toHaveLength(8);
      },
      { timeout: 60_000 * PATIENCE, interval: 50 },
    );

    // One webhook is being stored when the signal comes.
    await armFaults(world.child(), [{ at: "store.accept:before", nth: 1, do: "doze" }]);
    const storing = dozing(world.child(), 1);
    const other = world.issue({ title: "Late", body: "Please." });
    const late = world.github.comment({
      repository: "shop",
      issue: other,
      login: "ada",
      body: "/codex add late",
    });
    await storing;
    const before = world.log().length;
    const child = world.child();
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const asked = performance.now();
    await heard(world, before);
    child.kill("SIGCONT");
    expect((await late).webhook.status).toBe(200);
    expect(await ended).toEqual([0, null]);
    const tookMs = Math.round(performance.now() - asked);
    console.info(`SIGTERM with eight jobs under way, ended after, ms: ${tookMs}`);
    expect(tookMs).toBeLessThan((STOP_MS + 5_000) * PATIENCE);
    const rows = await sqlOn(world.place, "select state, attempts, lease_owner from jobs");
    expect(rows).toHaveLength(9);
    for (const row of rows) expect(row).toMatchObject({ attempts: 0, lease_owner: null });
    expect(rows.filter(({ state }) => state === "done")).toEqual([]);

    // At once when it comes twice; the command that ran ends with it.
    calling.clear();
    await world.start();
    await Promise.all([inFlight(), commands(2)]);
    const again = world.log().length;
    const second = world.child();
    const gone = once(second, "exit");
    second.kill("SIGTERM");
    await heard(world, again);
    const secondAt = performance.now();
    second.kill("SIGINT");
    expect(await gone).toEqual([1, null]);
    expect(performance.now() - secondAt).toBeLessThan(5_000 * PATIENCE);

    holds = false;
    await world.start();
    await Promise.all([world.ended(), world.ended(other), world.at("tools").ended()]);
    expect(await faults.wrongs()).toEqual([]);
    expect(world.pulls()).toHaveLength(8);
    expect(world.at("tools").pulls()).toHaveLength(1);

    // A terminal sends Ctrl+C to npm and to the server, and npm passes its own on.
    const idle = world.child();
    const left = once(idle, "exit");
    idle.kill("SIGINT");
    idle.kill("SIGINT");
    expect(await left).toEqual([0, null]);
  } finally {
    await faults.end();
  }

  /** So many commands were begun. */
  function commands(count: number): Promise<void> {
    const begun = `select 1 from events where payload like '%"tool":"shell"%'`;
    return vi.waitFor(async () => expect(await sqlOn(world.place, begun)).toHaveLength(count), {
      timeout: 60_000 * PATIENCE,
      interval: 50,
    });
  }

  /** The model's server has been asked by each that thinks. */
  function inFlight(): Promise<void> {
    return vi.waitFor(
      () => expect([...calling].filter((task) => task.includes("think")).length).toBe(5),
      { timeout: 60_000 * PATIENCE, interval: 50 },
    );
  }
});

test("shutdown-02 SIGTERM comes while the server starts, at any moment and while it takes up what an earlier one left: it ends, and the next start works", {
  timeout: 120_000 * PATIENCE,
}, async () => {
  const { world, ...faults } = await openFaultWorld({ model: writes });
  try {
    await world.stop("SIGTERM");
    const passedAlready = faults.passed().length;
    const hung = world.start({
      FAULTS: JSON.stringify([{ at: "store.releaseAll:before", nth: 1, do: "hang" }]),
    });
    const refused = expect(hung).rejects.toThrow("ended with 0");
    await vi.waitFor(
      () =>
        expect(faults.passed().slice(passedAlready)).toContainEqual(
          expect.objectContaining({ name: "store.releaseAll:before" }),
        ),
      { timeout: 30_000 * PATIENCE, interval: 20 },
    );
    world.child().kill("SIGTERM");
    await refused;

    // Each on a directory of its own, where all tables have to be made.
    const moments = nightly ? 20 : 2;
    for (let moment = 1; moment <= moments; moment++) {
      const DATA_DIR = `${world.dataDir}-${moment}`;
      const start = world.start({ DATA_DIR });
      start.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, (1_500 * moment) / moments));
      expect([0, null]).toContain(await world.stop("SIGTERM"));
    }
    const DATA_DIR = `${world.dataDir}-1`;
    await world.start({ DATA_DIR });
    await world.say("/codex add after");
    await world.ended();
    expect(world.pulls()).toHaveLength(1);
  } finally {
    await faults.end();
  }
});

test("shutdown-03 npm start is the process that gets the signal", {
  timeout: 120_000 * PATIENCE,
}, async () => {
  const world = await startWorld({
    model: writes,
    launcher: () => ["sh", "-c", `exec npm --prefix '${ROOT}' start`],
    env: { npm_config_update_notifier: "false" },
  });
  await world.say("/codex add one");
  await world.ended();
  expect(await world.stop("SIGTERM")).toBe(0);
  expect(world.log()).toContain("stopping: what is under way");
});
