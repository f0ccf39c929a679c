import { expect, test } from "vitest";
import { startWorld } from "../support/world.ts";

test("a review that asks for changes becomes one commit that answers each of its threads", {
  timeout: 90_000,
}, async () => {
  const write = (path: string, content: string) => ({
    toolCalls: [{ name: "write", arguments: { path, content } }],
  });
  const world = await startWorld({
    config: "checks: ['true']\n",
    model: ({ messages }) => {
      const replies = messages.filter(({ role }) => role === "assistant").length;
      const reviewed = JSON.stringify(messages).includes("Do what this review asks for");
      if (replies === 0) return write("a.txt", reviewed ? "better\n" : "good\n");
      return reviewed
        ? {
            content:
              "Mend it\n\nAs asked.\n\nThread 1: done: it says better.\nThread 2: not done: the name is public.",
          }
        : { content: "Write a\n\nAs asked." };
    },
  });
  await world.say("/codex write a");
  await world.ended();
  const [pull] = world.pulls();
  if (!pull) throw new Error("no pull request");
  const { number } = pull;
  await world.github.review({
    ...{ repository: "shop", number, login: "ada", state: "changes_requested" },
    body: "Nearly there.",
    comments: [
      { path: "a.txt", line: 1, body: "Say it better." },
      { path: "a.txt", line: 1, body: "Rename the file." },
    ],
  });
  const board = await world.ended(number);
  expect(board).toContain("✅ done");
  expect(board).toContain("Do what this review asks for.");
  expect(await world.show(`${pull.head}:a.txt`)).toBe("better");
  const replies = () =>
    [...world.github.repository("shop").reviewComments.values()].filter(({ author }) =>
      author.endsWith("[bot]"),
    );
  await expect.poll(() => replies().length, { timeout: 15_000 }).toBe(2);
  const texts = replies().map(({ body }) => body);
  expect(texts.some((body) => /In [0-9a-f]{40}:[\s\S]*it says better/.test(body))).toBe(true);
  expect(texts.some((body) => body.includes("the name is public"))).toBe(true);
  const threads = () =>
    [...world.github.repository("shop").reviewComments.values()]
      .filter(({ replyTo }) => replyTo === undefined)
      .map(({ body, resolved }) => [body, resolved === true]);
  await expect.poll(threads, { timeout: 15_000 }).toEqual([
    ["Say it better.", true],
    ["Rename the file.", false],
  ]);
  // One board, one follow-up: its comments start nothing by themselves.
  expect(world.answers(number).filter(({ body }) => body.includes(":board:"))).toHaveLength(1);
  expect(world.pulls()).toHaveLength(1);
});

test("a question on a line is answered once, in its thread, and changes nothing", {
  timeout: 90_000,
}, async () => {
  const world = await startWorld({
    config: "checks: ['true']\n",
    model: ({ messages }) => {
      const asked = JSON.stringify(messages).includes("ask why");
      const replies = messages.filter(({ role }) => role === "assistant").length;
      if (asked) return { content: "Because it is short.\n\nThread 1: done: nothing." };
      const call = { name: "write", arguments: { path: "a.txt", content: "good\n" } };
      return replies === 0 ? { toolCalls: [call] } : { content: "Write a\n\nAs asked." };
    },
  });
  await world.say("/codex write a");
  await world.ended();
  const [pull] = world.pulls();
  if (!pull) throw new Error("no pull request");
  const { number } = pull;
  await world.github.review({
    ...{ repository: "shop", number, login: "ada", state: "commented" },
    comments: [{ path: "a.txt", line: 1, body: "/codex ask why this word?" }],
  });
  expect(await world.ended(number)).toContain("answered below");
  const replies = () =>
    [...world.github.repository("shop").reviewComments.values()].filter(({ author }) =>
      author.endsWith("[bot]"),
    );
  await expect.poll(() => replies().length, { timeout: 15_000 }).toBe(1);
  expect(replies()[0]?.body).toContain("Because it is short.");
  expect(replies()[0]?.replyTo).toBeDefined();
  const [request] = world.model.requests.slice(-1);
  const told = JSON.stringify(request?.body.messages);
  expect(told).toContain("ask why this word?");
  expect(told).not.toContain("one line for each thread");
  expect(world.pulls()).toHaveLength(1);
});
