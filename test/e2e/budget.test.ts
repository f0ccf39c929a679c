import { globSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { WRAP_UP_START } from "../../src/agents/notices.ts";
import { startWorld, taskOf } from "../support/world.ts";

const write = (path: string, content: string) => ({ name: "write", arguments: { path, content } });
const plan = (...items: [string, string][]) => ({
  name: "plan",
  arguments: { items: items.map(([text, status]) => ({ text, status })) },
});

/** Costs 15,000 micro-dollars at the price of the world's model. */
const DEAR = {
  prompt_tokens: 20_000,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens: 5_000,
  total_tokens: 25_000,
};

test("a job that is out of budget is told to wrap up, leaves a draft that says so, and goes on when asked", {
  timeout: 90_000,
}, async () => {
  let told = "";
  const world = await startWorld({
    config: "checks: ['true']\nbudget: {job: 0.05}\n",
    model: (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (taskOf(request) !== "make it") {
        told = taskOf(request);
        return replies === 0
          ? { toolCalls: [write("c.txt", "c\n")] }
          : { content: "Finish it\n\nAs asked." };
      }
      const calls = [
        plan(["Write a", "in_progress"], ["Write c", "pending"]),
        write("a.txt", "a\n"),
        write("b.txt", "b\n"),
      ];
      return { toolCalls: [calls[replies] ?? write("never.txt", "never\n")], usage: DEAR };
    },
  });
  await world.say("/codex make it");
  const board = await world.ended();
  expect(board).toContain("💸 over budget");
  expect(board).toContain("$0.0450");
  const [pull] = world.pulls();
  if (!pull) throw new Error(`no pull request: ${board}`);
  expect(board).toMatch(
    new RegExp(`\`/codex continue [0-9a-f]{8} --budget 0.05\` on #${pull.number}`),
  );
  const body = world.pullBody(pull);
  expect(pull.draft).toBe(true);
  expect(body).toContain("💸 **Out of budget.**");
  expect(body).toContain("the budget of $0.0500 for this job is used up");
  expect(body).toMatch(/### Left to do\n\n- \[ \] Write a\n- \[ \] Write c/);
  expect(await world.show(`${pull.head}:b.txt`)).toBe("b");
  const said = JSON.stringify(world.model.requests.at(-1)?.body.messages);
  expect(world.model.requests).toHaveLength(3);
  expect(said).not.toContain("never.txt");

  const offered = /Comment `(\/codex continue[^`]*)` here/.exec(body)?.[1] ?? "nothing";
  await world.say(offered, pull.number);
  expect(await world.ended(pull.number)).toContain("✅ done");
  expect(told).toMatch(/make it[\s\S]*- Write a\n- Write c/);
  expect(await world.show(`${pull.head}:c.txt`)).toBe("c");
  expect(await world.show(`${pull.head}:b.txt`)).toBe("b");
  expect(world.pulls()).toHaveLength(1);
  const now = () => world.pullBody(pull);
  await expect.poll(now, { timeout: 15_000 }).toContain("finished the work");
  expect(now()).not.toMatch(/Out of budget|unfinished|Left to do|codex continue/);
});

test("a draft out of budget that its continuation finds whole says so, and nothing offers to go on with it", {
  timeout: 90_000,
}, async () => {
  const world = await startWorld({
    config: "checks: ['true']\nbudget: {job: 0.05}\n",
    model: (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (taskOf(request) !== "make it") return { content: "Nothing\n\nIt is all there." };
      const calls = [plan(["Write a", "in_progress"]), write("a.txt", "a\n")];
      return { toolCalls: [calls[replies] ?? write("a.txt", "aa\n")], usage: DEAR };
    },
  });
  await world.say("/codex make it");
  expect(await world.ended()).toMatch(/`\/codex continue [0-9a-f]{8} --budget 0.05` on #/);
  const [pull] = world.pulls();
  if (!pull) throw new Error("no pull request");
  await world.say("/codex continue", pull.number);
  expect(await world.ended(pull.number)).toContain("➖ no change");
  const body = () => world.pullBody(pull);
  await expect.poll(body, { timeout: 15_000 }).toContain("found nothing more to change");
  expect(body()).not.toMatch(/Out of budget|unfinished|Left to do|codex continue/);
  const board = () => world.ended();
  await expect.poll(board, { timeout: 15_000 }).toContain("found nothing more to change");
  expect(await board()).not.toContain("/codex continue");

  await world.say("/codex continue", pull.number);
  const answers = () => world.answers(pull.number).map((each) => each.body);
  await expect
    .poll(answers, { timeout: 15_000 })
    .toContainEqual(expect.stringContaining("nothing that was asked for here stopped"));
});

test("a job that goes on after a restart is told to wrap up by what it had spent before", {
  timeout: 90_000,
}, async () => {
  const world = await startWorld({
    config: "budget: {job: 0.07}\n",
    model: (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (replies === 4) return { content: "Begin it\n\nAs asked." };
      const command = replies === 3 ? "touch begun; sleep 60" : "true";
      return { toolCalls: [{ name: "shell", arguments: { command } }], usage: DEAR };
    },
  });
  await world.say("/codex look around");
  const begun = () => globSync(path.join(world.dataDir, "work/workspaces/*/tree/begun"));
  await expect.poll(begun, { timeout: 30_000 }).toHaveLength(1);
  expect(JSON.stringify(world.model.requests)).not.toContain(WRAP_UP_START);
  await world.stop("SIGKILL");
  await world.start();
  expect(await world.ended()).toContain("✅ done");
  const [before, after] = world.model.requests.slice(-2).map(({ body }) => JSON.stringify(body));
  expect(world.model.requests).toHaveLength(5);
  expect(before).not.toContain(WRAP_UP_START);
  expect(after).toContain(WRAP_UP_START);
  expect(after).toContain("14 % of the money");
});

test("more than a job may cost is refused with what it may, and nothing starts", async () => {
  const world = await startWorld({
    config: "budget: {job: 0.5}\n",
    model: () => ({ content: "" }),
  });
  await world.say("/codex make it --budget 2");
  await expect
    .poll(() => world.answers()[0]?.body, { timeout: 15_000 })
    .toMatch(/`--budget 2` is more than the \$0\.50 that a job may cost here/);
  expect(world.model.requests).toEqual([]);
});

test("a repository that is out of money for the day starts no call, and offers nothing that would fail", {
  timeout: 60_000,
}, async () => {
  const world = await startWorld({
    config: "budget: {day: 0.01}\n",
    model: () => ({
      content: "Nothing\n\nNothing to do.",
      usage: { prompt_tokens: 100, completion_tokens: 4_000, total_tokens: 4_100 },
    }),
  });
  await world.say("/codex look around");
  expect(await world.ended()).toContain("➖ no change");
  await world.say("/codex make it");
  const board = () => world.answers().at(-1)?.body;
  await expect.poll(board, { timeout: 20_000 }).toContain("there is more after midnight UTC");
  expect(board()).toContain(
    "it can go on after midnight UTC, or once `budget.day` in `.github/codex.yml` is raised",
  );
  expect(board()).not.toContain("/codex continue");
  expect(world.model.requests).toHaveLength(1);
});

test("a task that was stopped before it changed anything begins again by the words of its board", {
  timeout: 60_000,
}, async () => {
  let begun = 0;
  const world = await startWorld({
    config: "limits: {steps: 2}\n",
    model: (request) => {
      expect(taskOf(request)).toBe(begun < 2 ? "make it" : "make it\n\nin c.txt");
      begun += 1;
      if (begun <= 2) return { toolCalls: [plan(["Write c", "pending"])] };
      return begun === 3
        ? { toolCalls: [write("c.txt", "c\n")] }
        : { content: "Finish it\n\nAs asked." };
    },
  });
  await world.say("/codex make it --ready");
  const board = await world.ended();
  expect(board).toContain("💸 over budget");
  expect(world.pulls()).toEqual([]);
  const [, offered] = /comment `(\/codex continue [0-9a-f]{8})` here/.exec(board) ?? [];
  await world.say(`${offered} in c.txt`);
  expect(await world.ended(1, 2)).toContain("✅ done");
  const [pull] = world.pulls();
  expect(pull?.draft).toBe(false);
  expect(await world.show(`${pull?.head}:c.txt`)).toBe("c");
});
