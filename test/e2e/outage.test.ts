import { expect, test } from "vitest";
import { plays, startWorld } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

test("what was asked for while the server was away is asked for again", {
  timeout: 120_000 * PATIENCE,
}, async () => {
  const write = { name: "write", arguments: { path: "a.txt", content: "a\n" } };
  const world = await startWorld({
    model: plays({ "do it": { calls: [write], report: "Write a file\n\nAs asked." } }),
  });
  const { github } = world;
  await world.stop("SIGKILL");
  const by = { repository: "shop", issue: 1, login: "ada" };
  const asked = await github.comment({ ...by, body: "/codex do it" });
  expect(asked.webhook.status).toBeNull();

  await world.start();
  await world.ended();
  expect(world.pulls()).toHaveLength(1);
  expect(world.answers()).toHaveLength(1);
  const again = github.requests.filter((each) => each.path.endsWith("/attempts"));
  expect(again).toHaveLength(1);
  const { guid } = asked.webhook;
  expect(github.webhooks.filter((each) => each.guid === guid).map((each) => each.status)).toEqual([
    null,
    200,
  ]);
});
