import { describe, expect, test } from "vitest";
import { git } from "../../demo/github/bare.ts";
import { startWorld, taskOf, type World } from "../support/world.ts";

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
