import { expect, test } from "vitest";
import type { ChatRequest, ScriptedReply } from "../support/model-server.ts";
import { startWorld } from "../support/world.ts";

const write = (path: string, content: string) => ({ name: "write", arguments: { path, content } });

const CONFIG = `checks: ["grep -q mended a.txt"]
routes:
  - name: small
    match: {shorter_than: 100}
    use: {model: gpt-5-nano, fallback: [gpt-5-mini]}
    escalate: {after_failed_checks: 1, model: gpt-5.1, effort: high}
`;

test("a rule chooses the model, another takes over while it is overloaded, and a stronger one mends failed checks", {
  timeout: 60_000,
}, async () => {
  const asked: { model: string; effort: unknown }[] = [];
  const world = await startWorld({
    config: CONFIG,
    files: { "a.txt": "one\n" },
    model: (request: ChatRequest & { reasoning_effort?: string }): ScriptedReply => {
      asked.push({ model: request.model, effort: request.reasoning_effort });
      if (request.model === "gpt-5-nano") {
        return { status: 429, headers: { "retry-after": "60" }, body: {} };
      }
      if (request.messages.at(-1)?.role === "tool") return { content: "Change a\n\nAs asked." };
      const text = request.model === "gpt-5.1" ? "mended\n" : "broken\n";
      return { toolCalls: [write("a.txt", text)] };
    },
  });
  await world.say("/codex change a");
  const board = await world.ended();
  expect(board).toContain("✅ done");
  const [pull] = world.pulls();
  if (!pull) throw new Error(`no pull request: ${board}`);
  expect(await world.show(`${pull.head}:a.txt`)).toBe("mended");
  // The first asks for a minute: it is left alone from then on.
  expect(asked).toEqual([
    { model: "gpt-5-nano", effort: undefined },
    { model: "gpt-5-mini", effort: undefined },
    { model: "gpt-5-mini", effort: undefined },
    { model: "gpt-5.1", effort: "high" },
    { model: "gpt-5.1", effort: "high" },
  ]);
  const why =
    "`gpt-5-nano` by rule 1 (small), because the task has fewer than 100 characters; else `gpt-5-mini`; `gpt-5.1` (high effort) after 1 failed round of checks";
  expect(board).toContain("| `gpt-5-mini`, `gpt-5.1` |");
  expect(board).toContain(why);
  expect(world.pullBody(pull)).toContain(why);
});

test("a model that the server has not at a known price is refused by name, and nothing starts", async () => {
  const world = await startWorld({ model: () => ({ content: "" }) });
  await world.say("/codex change a --model somebody-1");
  await expect
    .poll(() => world.answers()[0]?.body, { timeout: 15_000 })
    .toMatch(/nobody knows what the model `somebody-1` costs/);
  expect(world.model.requests).toEqual([]);
});
