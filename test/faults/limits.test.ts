import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { join, startWebWorld } from "../support/fleet.ts";
import { silentLog } from "../support/log.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { taskOf } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

/** GitHub's limits hold for an installation, whichever process calls for it: hence three of them. */

/** The write of the installation that is one too many, and for how long GitHub then wants to be left alone. */
const TOO_MANY = 6;
const RETRY_AFTER_S = 3;
/** After so long nothing is under way any more that was sent before, and every process has heard. */
const HEARD_MS = 1500;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

it("limits-01 a write of one process is too much for GitHub while two others work for the same installation: none of them calls before its time, and every job ends once", {
  timeout: 120_000 * PATIENCE,
}, async () => {
  const url = await server.database();
  let writes = 0;
  let limitedAt = Number.POSITIVE_INFINITY;
  const early: string[] = [];
  const world = await startWebWorld(url, {
    model: (request) => {
      const file = taskOf(request).replace(/\W+/g, "-");
      return request.messages.some(({ role }) => role === "tool")
        ? { content: `Make ${file}\n\nAs asked.` }
        : { toolCalls: [{ name: "write", arguments: { path: file, content: "x\n" } }] };
    },
    fault: ({ method, path: where }) => {
      // A token may be given back at any time: that ends what could call.
      if (method === "DELETE" && where === "/installation/token") return undefined;
      const since = performance.now() - limitedAt;
      const over = since > RETRY_AFTER_S * 1000;
      if (since > HEARD_MS && !over) early.push(`${method} ${where}`);
      const writing = !["GET", "HEAD"].includes(method) && where.startsWith("/repos/");
      if (writing) writes += 1;
      if (writing && writes === TOO_MANY) limitedAt = performance.now();
      else if (!(since >= 0) || over) return undefined;
      return {
        when: "before",
        answer: {
          status: 403,
          headers: { "retry-after": String(RETRY_AFTER_S) },
          body: { message: "You have exceeded a secondary rate limit." },
        },
      };
    },
  });
  const room = { DATABASE_URL: url, DRAFTSMITH_CONCURRENCY: "1" };
  await Promise.all(
    ["w1", "w2"].map((name) =>
      join(world, ["worker"], { ...room, DATA_DIR: path.join(world.home, name) }),
    ),
  );
  await world.say("/codex\n- one thing\n- two things");
  const board = await world.ended();

  expect(limitedAt).toBeLessThan(performance.now());
  expect(early).toEqual([]);
  expect(board).toContain("is done with 2 tasks");
  expect(world.answers()).toHaveLength(1);
  expect(world.pulls()).toHaveLength(2);
  const reactions = () => world.github.repository("shop").reactions.map(({ content }) => content);
  await expect.poll(reactions, { timeout: 15_000 * PATIENCE }).toEqual(["eyes", "rocket"]);
  // From now on the writes of that installation are paced, by all of them.
  expect(await sqlOn({ url, log: silentLog }, "select 1 as one from paces")).toHaveLength(1);
});
