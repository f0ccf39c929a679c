import { setTimeout as sleep } from "node:timers/promises";
import { plays, taskOf, withWorld } from "../test/support/world.ts";

/**
 * How much longer three tasks take side by side than one alone, with a model that takes a second for
 * each step. Both are measured in one run of one server, alternately, so that only the ratio counts.
 */
const STEP_MS = 1000;
const STEPS = 8;
const ROUNDS = 3;

const calls = Array.from({ length: STEPS - 1 }, (_, step) => ({
  name: "shell",
  arguments: { command: `echo ${step} >> "$(basename "$PWD").txt"` },
}));
const play = plays({ "task ": { calls, report: "Write lines\n\nAs asked." } });

await withWorld(
  {
    model: async (request) => {
      await sleep(STEP_MS);
      if (taskOf(request) === "") throw new Error("the prompt has no task");
      return play(request);
    },
  },
  async (world) => {
    const wall = async (body: string, boards: number) => {
      const startedAt = performance.now();
      await world.say(body);
      await world.ended(1, boards);
      return performance.now() - startedAt;
    };
    await wall("/codex task warm-up", 1);
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const one = await wall("/codex task alone", 2 + 2 * round);
      const three = await wall("/codex\n- task a\n- task b\n- task c", 3 + 2 * round);
      ratios.push(three / one);
      console.log(
        `one ${(one / 1000).toFixed(1)} s, three ${(three / 1000).toFixed(1)} s, ratio ${(three / one).toFixed(2)}`,
      );
    }
    console.log(`median ratio ${ratios.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]?.toFixed(2)}`);
  },
);
