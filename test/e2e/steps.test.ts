import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { onPostgres } from "../support/open-test-store.ts";
import { plays, startWorld, taskOf, type World } from "../support/world.ts";

/** What another machine has of a database: with SQLite the file itself moves. */
function moveTo(world: World, dataDir: string): void {
  if (onPostgres) return;
  mkdirSync(dataDir, { recursive: true });
  for (const end of ["", "-wal", "-shm"]) {
    const file = path.join(world.dataDir, `draftsmith.db${end}`);
    if (existsSync(file)) copyFileSync(file, path.join(dataDir, `draftsmith.db${end}`));
  }
}

/** Kills the server and starts it with another data directory, as another worker would go on. */
async function moveAway(world: World, env: Record<string, string>): Promise<void> {
  await world.stop("SIGKILL");
  env.DATA_DIR = path.join(world.home, "elsewhere");
  moveTo(world, env.DATA_DIR);
  await world.start();
}

test("a change that is held is let out by another server than the one that made it", {
  timeout: 240_000,
}, async () => {
  const env: Record<string, string> = {};
  const owners = { path: ".github/CODEOWNERS", content: "* @eve\n" };
  const world = await startWorld({
    env,
    people: { ada: "write", eve: "admin" },
    model: plays({
      "do it": { calls: [{ name: "write", arguments: owners }], report: "Add owners\n\nAs asked." },
    }),
  });
  await world.say("/codex do it");
  const board = await world.ended();
  const command = /^\/codex allow [0-9a-f]{8} [0-9a-f]{40}$/m.exec(board)?.[0] ?? "";
  expect(command).not.toBe("");
  const asked = world.model.requests.length;
  await moveAway(world, env);
  const published = Promise.withResolvers<void>();
  const stop = world.github.onChange(() => {
    if (world.pulls().length > 0) published.resolve();
  });
  await world.say(command, 1, "eve");
  await published.promise;
  stop();
  const [pull] = world.pulls();
  expect(await world.show(`${pull?.head}:${owners.path}`)).toBe("* @eve");
  expect(world.model.requests).toHaveLength(asked);
});

test("siblings are compared whose changes were made on two machines", {
  timeout: 240_000,
}, async () => {
  const env: Record<string, string> = {};
  const report = "Write a\n\nAs asked.";
  const write = (content: string) => ({ name: "write", arguments: { path: "a.txt", content } });
  const play = plays({
    "first thing": { calls: [write("one\n")], report },
    "second thing": { calls: [write("two\n")], report },
  });
  let world: World | null = null;
  let moved = false;
  world = await startWorld({
    env,
    model: async (request) => {
      if (taskOf(request).includes("second") && !moved && world !== null) {
        moved = true;
        const opened = Promise.withResolvers<void>();
        const look = () => world?.pulls().length === 1 && opened.resolve();
        const stop = world.github.onChange(look);
        look();
        await opened.promise;
        stop();
        await moveAway(world, env);
      }
      return play(request);
    },
  });
  await world.say("/codex\n- first thing\n- second thing");
  const board = await world.ended();
  expect(board).toContain("conflicts with task 2 on `a.txt`");
  expect(world.pulls()).toHaveLength(2);
});
