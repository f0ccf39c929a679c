import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { onPostgres } from "../support/open-test-store.ts";
import { plays, startWorld, type World } from "../support/world.ts";

const shell = (command: string) => ({ name: "shell", arguments: { command } });
const script = {
  "do it": {
    calls: [
      { name: "write", arguments: { path: "a.txt", content: "a\n" } },
      shell("mkdir -p bin && printf '#!/bin/sh\\necho hi\\n' > bin/run && chmod +x bin/run"),
      { name: "read", arguments: { path: "a.txt" } },
      shell("bin/run >> a.txt; git status --short"),
      shell("cat a.txt; test -x bin/run && echo runs"),
    ],
    report: "Write two files\n\nAs asked.",
  },
};

/** What another machine has of a database: with SQLite the file itself moves. */
function moveTo(world: World, dataDir: string): void {
  if (onPostgres) return;
  mkdirSync(dataDir, { recursive: true });
  for (const end of ["", "-wal", "-shm"]) {
    const file = path.join(world.dataDir, `draftsmith.db${end}`);
    if (existsSync(file)) copyFileSync(file, path.join(dataDir, `draftsmith.db${end}`));
  }
}

test.each([2, 3, 5, 6])(
  "a server that is killed at model call %i is followed by one with another data directory, from that step on",
  { timeout: 240_000 },
  async (at) => {
    const play = plays(script);
    const env: Record<string, string> = {};
    let world: World | null = null;
    let killed = false;
    world = await startWorld({
      env,
      model: async (request, number) => {
        if (number === at && !killed && world !== null) {
          killed = true;
          await world.stop("SIGKILL");
          env.DATA_DIR = path.join(world.home, "elsewhere");
          moveTo(world, env.DATA_DIR);
          await world.start();
        }
        return play(request);
      },
    });
    await world.say("/codex do it");
    await world.ended();
    expect(killed).toBe(true);
    expect(world.answers()).toHaveLength(1);
    expect(world.pulls()).toHaveLength(1);
    const [pull] = world.pulls();
    expect(await world.show(`${pull?.head}:a.txt`)).toBe("a\nhi");
    // Six replies; the one under way is asked for once more, with the very same words.
    const asked = world.model.requests.map(({ body }) => JSON.stringify(body.messages));
    expect(asked).toHaveLength(7);
    expect(asked[at]).toBe(asked[at - 1]);
    const last = world.model.requests.at(-1)?.body.messages ?? [];
    expect(last.at(-1)?.content).toMatch(/a\nhi\nruns/);
    expect(JSON.stringify(last)).not.toMatch(/interrupted|brought back/);
  },
);
