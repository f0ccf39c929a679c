import { renameSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { sqlOn } from "../support/open-test-store.ts";
import { plays, startWorld, taskOf } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

const write = (file: string) => ({ name: "write", arguments: { path: file, content: "x\n" } });
const play = plays({
  "first thing": { calls: [write("a.txt"), write("b.txt")], report: "Add a and b\n\nAs asked." },
  "second thing": { calls: [write("c.txt")], report: "Add c\n\nAs asked." },
});

test("after a backup came back, the job in it goes on and leaves alone what GitHub has of it, and what was asked since is asked for again", {
  timeout: 180_000 * PATIENCE,
}, async () => {
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const world = await startWorld({
    model: async (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (taskOf(request).includes("first thing") && replies === 1) {
        asked.resolve();
        await answered.promise;
      }
      return play(request);
    },
  });
  await world.say("/codex first thing");
  await asked.promise;

  const backup = path.join(world.home, "draftsmith-backup.db");
  await sqlOn(world.place, `vacuum into '${backup}'`);
  answered.resolve();
  await world.ended();
  await world.say("/codex second thing");
  await world.ended(1, 2);
  const before = { pulls: world.pulls(), boards: world.answers().map(({ id }) => id) };
  expect(before.pulls).toHaveLength(2);

  await world.stop("SIGTERM");
  for (const name of ["draftsmith.db", "draftsmith.db-wal", "draftsmith.db-shm"]) {
    const file = path.join(world.dataDir, name);
    try {
      renameSync(file, `${file}.old`);
    } catch {
      // A server that ended by itself leaves only the first.
    }
  }
  renameSync(backup, path.join(world.dataDir, "draftsmith.db"));
  await world.start();
  // GitHub is asked for what it sent since then, too.
  await vi.waitFor(
    async () => {
      const ended = await sqlOn(world.place, "select id from jobs where ended_at is not null");
      expect(ended).toHaveLength(2);
    },
    { timeout: 60_000 * PATIENCE, interval: 200 },
  );
  const of = (name: string) => world.pulls().filter(({ head }) => head.includes(name));
  expect(of("first-thing")).toEqual(
    before.pulls.filter(({ head }) => head.includes("first-thing")),
  );
  expect(of("second-thing")).toHaveLength(2);
  const [first] = before.boards;
  await vi.waitFor(
    () => {
      const boards = world.answers();
      expect(boards.filter(({ id }) => !before.boards.includes(id))).toHaveLength(1);
      expect(boards.find(({ id }) => id === first)?.body).toMatch(
        /exists already at .* left alone/,
      );
    },
    { timeout: 30_000 * PATIENCE, interval: 200 },
  );
});
