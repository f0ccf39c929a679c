import { expect, it } from "vitest";
import { createRunner, type Tried } from "../../src/jobs/runner.ts";
import { silentLog } from "../support/log.ts";

/** A runner whose tries end as told, one after another; `tries` counts those that began. */
function runnerOf(endings: Promise<Tried>[], now = () => Date.now()) {
  let tries = 0;
  const began = endings.map(() => Promise.withResolvers<void>());
  const runner = createRunner({
    concurrency: 1,
    run: async () => {
      const ending = endings[tries];
      began[tries]?.resolve();
      tries += 1;
      return ending ?? { status: "ended" };
    },
    now,
    log: silentLog,
  });
  return { runner, began: began.map(({ promise }) => promise), tries: () => tries };
}

const ENDED: Tried = { status: "ended" };

it("tries a job once more that was asked for while its last try ended", async () => {
  const first = Promise.withResolvers<Tried>();
  const { runner, began, tries } = runnerOf([first.promise, Promise.resolve(ENDED)]);
  runner.start(["a"]);
  await began[0];
  runner.start(["a"]);
  first.resolve(ENDED);
  await began[1];
  await runner.stop();
  expect(tries()).toBe(2);
});

it("tries a job once that was asked for once", async () => {
  const { runner, began, tries } = runnerOf([Promise.resolve(ENDED)]);
  runner.start(["a"]);
  await began[0];
  await new Promise((done) => setImmediate(done));
  await runner.stop();
  expect(tries()).toBe(1);
});

it("keeps a wait that is longer than any timer", async () => {
  const far: Tried = { status: "again", at: Date.now() + 2 ** 40 };
  const { runner, began, tries } = runnerOf([Promise.resolve(far)]);
  runner.start(["a"]);
  await began[0];
  await new Promise((done) => setTimeout(done, 50));
  await runner.stop();
  expect(tries()).toBe(1);
});
