import { expect, test } from "vitest";
import { startWorld } from "../support/world.ts";

test("a draft of ours is marked as ready on a person's word, and nobody else's pull request", {
  timeout: 90_000,
}, async () => {
  const world = await startWorld({
    model: ({ messages }) =>
      messages.some(({ role }) => role === "assistant")
        ? { content: "Write a\n\nAs asked." }
        : { toolCalls: [{ name: "write", arguments: { path: "a.txt", content: "a\n" } }] },
  });
  await world.say("/codex write a");
  await world.ended();
  const [pull] = world.pulls();
  expect(pull?.draft).toBe(true);
  await world.say("/codex ready");
  await expect
    .poll(() => world.answers().map(({ body }) => body), { timeout: 15_000 })
    .toContainEqual(expect.stringContaining("no pull request of Draftsmith's"));
  expect(pull?.draft).toBe(true);
  await world.say("/codex ready", pull?.number);
  await expect.poll(() => pull?.draft, { timeout: 15_000 }).toBe(false);
});

test("a question and a plan are answered in comments, and nothing is written to the repository", {
  timeout: 90_000,
}, async () => {
  const world = await startWorld({
    config: "checks: ['true']\n",
    model: (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      const plans = JSON.stringify(request.messages).includes("plan the move");
      if (plans) return { content: "Move it so:\n\n- [ ] Copy a.txt\n- [ ] Tell @everyone" };
      const look = { name: "shell", arguments: { command: "echo changed > a.txt; ls" } };
      return replies === 0
        ? { toolCalls: [look] }
        : { content: "It is slow because of `a.txt`. Fixes #1." };
    },
  });
  await world.say("/codex ask why is it slow?\n/codex plan the move");
  const board = await world.ended();
  expect(board.match(/✅ done \| [^\n]*answered below/g)).toHaveLength(2);
  const results = () =>
    world.answers().filter(({ body }) => body.startsWith("<!-- draftsmith:result:"));
  await expect.poll(() => results().length, { timeout: 15_000 }).toBe(2);
  const [answer, plan] = results()
    .map(({ body }) => body)
    .sort((a, b) => Number(a.includes("Move it")) - Number(b.includes("Move it")));
  expect(answer).toContain("It is slow because of `a.txt`");
  expect(answer).toContain("ask why is it slow?");
  expect(answer).not.toMatch(/Fixes #1/);
  expect(plan).toContain("Copy a.txt");
  expect(plan).not.toMatch(/(^|[^`])@everyone/);
  expect(world.pulls()).toEqual([]);
  const tools = world.model.requests.flatMap(({ body }) =>
    (body.tools ?? []).map((tool) => (tool as { function: { name: string } }).function.name),
  );
  expect(new Set(tools)).toEqual(new Set(["shell", "read", "plan", "skill"]));
});
