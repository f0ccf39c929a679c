import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { git } from "../../demo/github/bare.ts";
import { INTERRUPTED } from "../../src/agents/notices.ts";
import { openFaultWorld } from "../support/fault-world.ts";
import type { ChatRequest } from "../support/model-server.ts";
import { onPostgres, sqlOn } from "../support/open-test-store.ts";
import { taskOf } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { nightly } from "./size.ts";

const write = (name: string, content: string) => ({
  name: "write",
  arguments: { path: name, content },
});
const shell = (command: string) => ({ name: "shell", arguments: { command } });

/** Five steps, each of which may be done twice and gives the same: `a.txt` stands there from the beginning. */
const STEPS = [
  write("a.txt", "a\n"),
  shell("mkdir -p bin && printf '#!/bin/sh\\ncat a.txt\\n' > bin/run && chmod +x bin/run"),
  shell("bin/run > c.txt; rm -f README.md; wc -l c.txt"),
  write("a.txt", "b\n"),
  shell("bin/run | cat - c.txt > d.txt; git status --short; cat d.txt"),
];

/** Does them in order, one that was interrupted once more, as a model does that is told so. */
function play({ messages }: ChatRequest) {
  const answers = messages.filter(({ role }) => role === "tool");
  const done = answers.filter(({ content }) => content !== INTERRUPTED).length;
  const again = answers.at(-1)?.content === INTERRUPTED ? "-again" : "";
  const call = STEPS[done];
  if (!call) return { content: "Write files\n\nAs asked." };
  return { toolCalls: [{ ...call, id: `step-${done}${again}` }] };
}

/** Where a step may stop, and what follows the last one until the job has ended. */
const STEP =
  /^(model\.tryOnce:|store\.write:(reply|tool_finished):|store\.write:tool_started:after|store\.(reserve|settle):|git\.pack:before)/;
const ENDING =
  /^(git\.(snapshot|packCommit|pushRef)|store\.(putHeld|done):(push|commit|branch|pull)|github\.perform:(push|commit|branch|pull)|store\.write:(to-|evidence|publication|change)).*:after$/;

const faults = await openFaultWorld({
  config: "checks: ['true']\n",
  files: { "README.md": "# Shop\n", "a.txt": "old\n" },
  // A night has more deaths than anybody has commands.
  env: { DRAFTSMITH_COMMANDS_PER_HOUR: "10000" },
  model: play,
});
afterAll(() => faults.end());
const { world } = faults;
const clean = await run(0, null);
const points = clean.passed
  .filter(({ at }) => STEP.test(at) || ENDING.test(at))
  .flatMap((point) => ["here", "elsewhere"].map((where) => ({ ...point, where })));
/** Of the deaths, how many are played in everyday runs: an odd number, for both places; each database has others. */
const ONE_OF = nightly ? 1 : Math.ceil(points.length / 3) | 1;

it.each(points.filter((_, at) => at % ONE_OF === (onPostgres ? 1 : 2) % ONE_OF))(
  "steps-01 kill -9 at $at, time $nth, of a job of five steps, which goes on $where: the same words, the same files, nothing paid twice",
  { timeout: 120_000 * PATIENCE },
  async ({ at, nth, where }) => {
    const count = points.findIndex((point) => point.at === at && point.nth === nth) + 1;
    const made = await run(where === "here" ? count : count + points.length, { at, nth, where });
    expect(made.board).toContain("✅ done");
    expect(made.tree).toBe(clean.tree);
    expect(made.messages).toEqual(clean.messages);
    const lost = /^model\.tryOnce:after|^store\.settle|^store\.write:reply:before/.test(at) ? 1 : 0;
    expect(made.asked - made.interrupted).toBeLessThanOrEqual(STEPS.length + 1 + lost);
    expect(made.interrupted).toBe(interruptedBy(at) ? 1 : 0);
    expect(await faults.wrongs()).toEqual([]);
  },
);

/** Whether a call had begun and was not stored as ended. */
function interruptedBy(at: string): boolean {
  return /tool_started:after|git\.pack:before|tool_finished:before/.test(at);
}

/** One job, whose server dies where it is told to; what the model saw, and what was published. */
async function run(count: number, death: { at: string; nth: number; where: string } | null) {
  const task = `write them, ${String(count).padStart(4, "0")}`;
  const issue = world.issue({ title: "Files", body: "Please." });
  const before = faults.passed().length;
  if (death !== null) {
    await faults.arm([{ at: death.at, nth: death.nth, do: "kill" }]);
    const died = faults.death();
    await world.say(`/codex ${task}`, issue);
    await died;
    if (death.where === "elsewhere") await moveAway(count);
    await world.start({ DATA_DIR: world.dataDir });
  } else await world.say(`/codex ${task}`, issue);
  const board = await world.ended(issue);
  const [pull] = world.pulls().filter(({ head }) => head.startsWith(`codex/${issue}-`));
  const asked = world.model.requests.map(({ body }) => body).filter((b) => taskOf(b) === task);
  const passed = new Map<string, number>();
  return {
    board,
    asked: asked.length,
    tree: pull && (await git(world.bare, ["rev-parse", `${pull.head}^{tree}`])),
    ...lastWords(asked.at(-1)?.messages ?? [], task, issue),
    passed: faults
      .passed()
      .slice(before)
      .map(({ name: at }) => {
        passed.set(at, (passed.get(at) ?? 0) + 1);
        return { at, nth: passed.get(at) ?? 0 };
      }),
  };
}

/** The conversation without calls that were interrupted, and without what names this one job. */
function lastWords(messages: ChatRequest["messages"], task: string, issue: number) {
  const interrupted = messages.filter(({ content }) => content === INTERRUPTED);
  const ids = interrupted.map((message) => message.tool_call_id);
  const kept = messages.filter(
    ({ tool_call_id, tool_calls }) => !ids.includes(tool_call_id ?? tool_calls?.[0]?.id ?? ""),
  );
  return {
    interrupted: interrupted.length,
    messages: kept.map((message) =>
      JSON.stringify(message)
        .replaceAll(task, "TASK")
        .replaceAll(`issue #${issue}`, "issue #N")
        .replaceAll("-again", ""),
    ),
  };
}

/** The machine is gone with all its files; only what the database holds is there for the next. */
async function moveAway(count: number): Promise<void> {
  const dataDir = path.join(world.home, `data-${count}`);
  mkdirSync(dataDir);
  if (!onPostgres) {
    for (const end of ["", "-wal", "-shm"]) {
      const file = path.join(world.dataDir, `draftsmith.db${end}`);
      if (existsSync(file)) copyFileSync(file, path.join(dataDir, `draftsmith.db${end}`));
    }
    world.place = { file: path.join(dataDir, "draftsmith.db") };
  }
  rmSync(world.dataDir, { recursive: true, force: true });
  world.dataDir = dataDir;
  // Whoever held them is dead: nobody waits for the end of their leases here.
  await sqlOn(world.place, "update jobs set lease_until = 0 where lease_until is not null");
  await sqlOn(world.place, "update outbox set lease_until = 0 where lease_until is not null");
}
