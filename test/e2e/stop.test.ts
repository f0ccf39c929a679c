import { describe, expect, test, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { plays, startWorld, taskOf, type World } from "../support/world.ts";

const write = (path: string, content: string) => ({ name: "write", arguments: { path, content } });
const script = {
  "do it": { calls: [write("a.txt", "a\n")], report: "Write a file\n\nAs asked." },
};
const shell = (command: string) => ({ name: "shell", arguments: { command } });

/** What a job leaves on GitHub beside main and comments. */
const refs = async (world: World) =>
  (await git(world.bare, ["for-each-ref", "--format=%(refname)"])).split("\n").filter(Boolean);

describe("/codex stop", () => {
  test("ends a model call, a command and what waits, and leaves nothing", {
    timeout: 60_000,
  }, async () => {
    const calling = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const world = await startWorld({
      env: { DRAFTSMITH_CONCURRENCY: "2" },
      model: async (request) => {
        if (taskOf(request).includes("think")) {
          asked.resolve();
          return { fault: "hang" };
        }
        if (request.messages.some((message) => message.role === "tool")) {
          throw new Error("the command of a stopped job was answered");
        }
        calling.resolve();
        return { toolCalls: [shell("sleep 300")] };
      },
    });
    await world.say("/codex\n- think\n- wait long\n- never begun");
    await Promise.all([asked.promise, calling.promise]);
    const stoppedAt = performance.now();
    await world.say("/codex stop");
    const board = await world.ended();
    expect(performance.now() - stoppedAt).toBeLessThan(20_000);
    expect(board.match(/🚫 cancelled/g)).toHaveLength(3);
    expect(board.match(/stopped by ada/g)).toHaveLength(3);
    const answer = world.answers().find(({ body }) => body.includes("draftsmith:answer"));
    expect(answer?.body).toMatch(/\*\*ada\*\* stops 3 tasks\..*Not begun, and cancelled: task 3/s);
    expect(world.pulls()).toEqual([]);
    expect(await refs(world)).toEqual(["refs/heads/main"]);
    expect(world.model.requests).toHaveLength(2);
  });
});

test("/codex stop in the midst of publishing says what stands, and does no more", {
  timeout: 60_000,
}, async () => {
  let world: World | null = null;
  let stopped = false;
  const fault = async (request: RecordedRequest): Promise<Fault | undefined> => {
    if (stopped || request.method !== "POST" || !request.path.endsWith("/shop/git/refs")) return;
    stopped = true;
    // GitHub takes its time with the branch, and then does it.
    await world?.say("/codex stop");
    return { when: "after", answer: { status: 502 } };
  };
  world = await startWorld({ fault, model: plays(script) });
  await world.say("/codex do it");
  const board = await world.ended();
  expect(board).toMatch(/🚫 cancelled.*stopped by ada; the branch codex\/1-do-it-\w+ stands/);
  expect(world.pulls()).toEqual([]);
  expect(stopped).toBe(true);
});

test("SIGTERM lets the reply that is under way come, stores it, and the next start pays for none twice", {
  timeout: 60_000,
}, async () => {
  const play = plays(script);
  let ended: Promise<number | null> | null = null;
  let world: World | null = null;
  world = await startWorld({
    model: async (request, number) => {
      if (number === 1) {
        ended = world?.stop("SIGTERM") ?? null;
        // The signal was sent; the reply comes after it.
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      return play(request);
    },
  });
  await world.say("/codex do it");
  await vi.waitFor(() => expect(ended).not.toBeNull(), { timeout: 30_000 });
  expect(await ended).toBe(0);
  await world.start();
  await world.ended();
  expect(world.pulls()).toHaveLength(1);
  // One call and the report: each asked for once.
  expect(world.model.requests).toHaveLength(2);
});
