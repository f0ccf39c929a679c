import { expect, test } from "vitest";
import { plays, startWorld } from "../support/world.ts";

const write = (path: string, content: string) => ({ name: "write", arguments: { path, content } });
const shell = (command: string) => ({ name: "shell", arguments: { command } });

/** Plays one job whose first change fails its check; what became of it, and what the model was told. */
async function played(api: "chat" | "responses") {
  const world = await startWorld({
    config: "checks: ['grep -q mended a.txt']\n",
    files: { "a.txt": "one\n" },
    env: { OPENAI_API: api },
    model: (request) => {
      const failed = JSON.stringify(request.messages).includes("not all passed");
      if (failed && request.messages.at(-1)?.role !== "tool") {
        return { toolCalls: [write("a.txt", "mended\n")] };
      }
      return plays({
        "make it": {
          calls: [shell("cat a.txt"), write("a.txt", "broken\n")],
          report: "Make it\n\nAs asked.",
        },
      })(request);
    },
  });
  await world.say("/codex make it");
  const board = await world.ended();
  const [pull] = world.pulls();
  if (!pull) throw new Error(`no pull request: ${board}`);
  const last = world.model.requests.at(-1);
  return {
    paths: [...new Set(world.model.requests.map(({ path }) => path))],
    lost: world.model.requests.flatMap((each) => each.lostReasoning ?? []),
    file: await world.show(`${pull.head}:a.txt`),
    checks: world.pullBody(pull).match(/\*\*The check passed\*\*/)?.[0],
    told: last?.body.messages.map(({ role, content }) => [role, content]),
    costOnBoard: /\$\d+\.\d+/.exec(board)?.[0],
    cost: /\$\d+\.\d+/.exec(world.pullBody(pull).split("### Model and cost")[1] ?? "")?.[0],
  };
}

test("the same job runs through Chat Completions and through Responses, and ends in the same change", {
  timeout: 90_000,
}, async () => {
  const chat = await played("chat");
  const responses = await played("responses");
  expect(chat.paths).toEqual(["/v1/chat/completions"]);
  expect(responses.paths).toEqual(["/v1/responses"]);
  expect(chat.file).toBe("mended");
  expect(chat.checks).toBeDefined();
  expect(responses.lost).toEqual([]);
  const same = ({ file, checks, cost }: typeof chat) => ({ file, checks, cost });
  expect(same(responses)).toEqual(same(chat));
  expect(chat.cost).not.toBe("$0.0000");
  expect([chat.cost, responses.cost]).toEqual([chat.costOnBoard, responses.costOnBoard]);
  const roles = (told: typeof chat.told) => told?.map(([role]) => role);
  expect(roles(responses.told)).toEqual(roles(chat.told));
});
