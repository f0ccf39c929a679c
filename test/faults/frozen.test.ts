import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { join, startWebWorld } from "../support/fleet.ts";
import { startPostgres } from "../support/postgres.ts";
import { plays, taskOf } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

const write = (name: string) => ({
  name: "write",
  arguments: { path: `${name}.txt`, content: `${name}\n` },
});
const script = (name: string, calls: { name: string; arguments: unknown }[] = []) => ({
  calls: [...calls, write(name)],
  report: `Add ${name}\n\nAs asked.`,
});
const scripts = {
  alpha: script("alpha"),
  bravo: script("bravo", [{ name: "shell", arguments: { command: "touch begun; sleep 200" } }]),
  charlie: script("charlie"),
  delta: script("delta"),
  echo: script("echo"),
  foxtrot: script("foxtrot"),
  golf: script("golf"),
};
const names = Object.keys(scripts);

/** At which request a job of that name is when its worker freezes, and whether GitHub does it then. */
const HELD: { name: string; at: string; done: boolean }[] = [
  { name: "charlie", at: "git/commits", done: false },
  { name: "delta", at: "git/commits", done: true },
  { name: "echo", at: "git/refs", done: true },
  { name: "foxtrot", at: "pulls", done: false },
  { name: "golf", at: "pulls", done: true },
];

test("frozen-01 a worker is frozen by SIGSTOP in a model call, a command and each act of publishing, and wakes when another has ended its jobs", {
  timeout: 300_000 * PATIENCE,
}, async () => {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.stop());
  const url = await postgres.database();
  const play = plays(scripts);
  const there = new Set<string>();
  const all = Promise.withResolvers<void>();
  const frozen = Promise.withResolvers<void>();
  const arrive = async (name: string) => {
    there.add(name);
    if (there.size === names.length) all.resolve();
    await frozen.promise;
  };
  let asleep = false;
  const fault = async (request: RecordedRequest): Promise<Fault | undefined> => {
    const text = JSON.stringify(request.body);
    const held = HELD.find(
      ({ name, at }) =>
        request.method === "POST" && request.path.endsWith(`/shop/${at}`) && text.includes(name),
    );
    if (!held || asleep) return;
    await arrive(held.name);
    return held.done ? undefined : { when: "before", answer: "drop" };
  };
  const world = await startWebWorld(url, {
    fault,
    model: async (request) => {
      const task = taskOf(request);
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (!asleep && task.includes("alpha") && replies === 1) await arrive("alpha");
      // Its command runs by the time the others have come as far as they should.
      if (!asleep && task.includes("bravo") && replies === 0) setImmediate(() => arrive("bravo"));
      return play(request);
    },
  });
  const worker = (name: string) =>
    join(world, ["worker"], {
      DATABASE_URL: url,
      DATA_DIR: path.join(world.home, name),
      DRAFTSMITH_CONCURRENCY: "8",
      DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: "8",
    });
  const first = await worker("first");
  await world.say(`/codex\n${names.map((name) => `- add ${name}`).join("\n")}`);
  await all.promise;
  first.child.kill("SIGSTOP");
  asleep = true;
  frozen.resolve();
  await worker("second");
  await vi.waitFor(
    () => {
      const [board] = world.answers();
      expect(board?.body.match(/✅ done/g)).toHaveLength(names.length);
    },
    { timeout: 200_000 * PATIENCE, interval: 250 },
  );
  const before = {
    asked: world.model.requests.length,
    heads: await heads(world.bare),
    pulls: world.pulls().length,
  };
  first.child.kill("SIGCONT");
  await vi.waitFor(() => expect(first.log()).toMatch(/given up here/), {
    timeout: 60_000 * PATIENCE,
    interval: 100,
  });
  expect(await first.stop("SIGTERM")).toBe(0);

  expect(world.answers()).toHaveLength(1);
  expect(
    world
      .pulls()
      .map(({ head }) => head.split("-")[2])
      .sort(),
  ).toEqual(names);
  expect(world.model.requests).toHaveLength(before.asked);
  expect(await heads(world.bare)).toEqual(before.heads);
  for (const { head } of world.pulls()) {
    expect(await git(world.bare, ["rev-list", "--count", `main..${head}`])).toBe("1");
  }
  for (const name of names) {
    const asked = world.model.requests.filter(({ body }) => taskOf(body).includes(name));
    // Each reply once, and once more the one that was under way.
    const replies = scripts[name as keyof typeof scripts].calls.length + 1;
    expect([name, asked.length]).toEqual([name, replies + (name === "alpha" ? 1 : 0)]);
  }
});

/** The branches, and where they stand. */
function heads(bare: string): Promise<string> {
  return git(bare, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]);
}
