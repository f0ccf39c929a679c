import { expect, test } from "vitest";
import { plays, startWorld } from "../support/world.ts";

const script = {
  "do it": {
    calls: [{ name: "write", arguments: { path: "a.txt", content: "a\n" } }],
    report: "Write a file\n\nAs asked.",
  },
};

/** Renames acme/shop to acme/store while the model thinks; with `taken` somebody takes the old name. */
async function renamedWhileAtWork(taken: boolean) {
  const scripted = plays(script);
  let moved = false;
  const world = await startWorld({
    repositories: { other: {} },
    model: (request) => {
      if (!moved) {
        moved = true;
        const shop = world.github.repository("shop");
        shop.formerNames.push("acme/shop");
        shop.name = "store";
        if (taken) world.github.repository("other").name = "shop";
      }
      return scripted(request);
    },
  });
  await world.github.comment({ repository: "shop", issue: 1, login: "ada", body: "/codex do it" });
  const store = () => world.github.repository("store");
  const board = () => [...store().comments.values()].find(({ body }) => body.includes("board:"));
  await expect.poll(() => board()?.body ?? "", { timeout: 50_000 }).toMatch(/✅ done|❌ failed/);
  return { world, store, board: board()?.body ?? "" };
}

test("a repository that is renamed while a job works gets its pull request under the new name", {
  timeout: 90_000,
}, async () => {
  const { world, store, board } = await renamedWhileAtWork(false);
  expect(board).toContain("✅ done");
  expect(store().pulls.size).toBe(1);
  expect([...store().comments.values()].filter(({ body }) => body.includes("board:"))).toHaveLength(
    1,
  );
  const opened = world.github.requests.filter(
    ({ method, path }) => method === "POST" && path.endsWith("/pulls"),
  );
  // Its present name is kept: nothing is sent to the old one any more.
  expect(opened.map(({ path }) => path)).toEqual(["/repos/acme/store/pulls"]);
});

test("whoever takes the old name of a repository gets nothing of its jobs", {
  timeout: 90_000,
}, async () => {
  const { world, store, board } = await renamedWhileAtWork(true);
  expect(board).toContain("✅ done");
  expect(store().pulls.size).toBe(1);
  const taker = world.github.repository("shop");
  expect([taker.pulls.size, taker.reactions.length]).toEqual([0, 0]);
  expect([...taker.comments.values()]).toEqual([]);
});
