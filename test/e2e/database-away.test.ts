import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { join, type Member, startWebWorld } from "../support/fleet.ts";
import { silentLog } from "../support/log.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { plays, taskOf, type World } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const write = (file: string) => ({ name: "write", arguments: { path: file, content: "x\n" } });
const play = plays({
  "first thing": { calls: [write("a.txt"), write("b.txt")], report: "Add a and b\n\nAs asked." },
  "second thing": { calls: [write("c.txt")], report: "Add c\n\nAs asked." },
});

interface Fleet {
  world: World;
  worker: Member;
  /** The way of both processes to the database. */
  way: TcpProxy;
  url: string;
  /** When the model was asked for the second reply of the first task. */
  asked: Promise<void>;
  /** Lets it answer. */
  answer(): void;
}

/** A process for webhooks and one for work, whose job waits for the model. */
async function startFleet(): Promise<Fleet> {
  const url = await server.database();
  const way = await startTcpProxy(Number(new URL(url).port));
  onTestFinished(() => way.close());
  const through = new URL(url);
  through.port = String(way.port);
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const world = await startWebWorld(through.href, {
    model: async (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (taskOf(request).includes("first thing") && replies === 1) {
        asked.resolve();
        await answered.promise;
      }
      return play(request);
    },
  });
  const worker = await join(world, ["worker"], { DATABASE_URL: through.href });
  await world.say("/codex first thing");
  await asked.promise;
  return { world, worker, way, url, asked: asked.promise, answer: () => answered.resolve() };
}

function expectAlive({ world, worker }: Fleet): void {
  expect([world.child().exitCode, worker.child.exitCode]).toEqual([null, null]);
}

test("while the database cannot be reached webhooks get 503 and a job goes on; afterwards all is done once", {
  timeout: 180_000 * PATIENCE,
}, async () => {
  const fleet = await startFleet();
  const { world, way, answer } = fleet;
  way.cut();
  const { comment, webhook } = await world.github.comment({
    repository: "shop",
    issue: 1,
    login: "ada",
    body: "/codex second thing",
  });
  expect(webhook.status).toBe(503);
  expectAlive(fleet);

  way.mend();
  answer();
  const again = await world.github.redeliver("shop", comment, webhook.guid);
  expect(again.status).toBe(200);
  await world.ended(1, 2);

  expectAlive(fleet);
  expect(world.pulls()).toHaveLength(2);
  // Three replies for the first task and two for the second: none was asked for again.
  expect(world.model.requests).toHaveLength(5);
});

test("a database that falls silent: the worker stops before its job may be another's, and goes on when it speaks", {
  timeout: 180_000 * PATIENCE,
}, async () => {
  const fleet = await startFleet();
  const { world, worker, way, answer } = fleet;
  way.silence();
  await vi.waitFor(() => expect(worker.log()).toMatch(/may have been taken over/), {
    timeout: 40_000 * PATIENCE,
    interval: 200,
  });
  expectAlive(fleet);
  // Nobody listens to this reply any more: what it says must not be done twice.
  answer();
  way.mend();
  await world.ended();
  expectAlive(fleet);
  expect(world.pulls()).toHaveLength(1);
  expect(world.answers()).toHaveLength(1);
  expect(await world.show(`${world.pulls()[0]?.head}:b.txt`)).toBe("x");
});

test("a database that ends every connection again and again costs no job and no process", {
  timeout: 180_000 * PATIENCE,
}, async () => {
  const fleet = await startFleet();
  const { world, answer, url } = fleet;
  const endAll = () =>
    sqlOn(
      { url, log: silentLog },
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'draftsmith%'",
    );
  await world.say("/codex second thing");
  await endAll();
  answer();
  for (let round = 0; round < 20; round += 1) {
    await endAll();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await world.ended(1, 2);
  expectAlive(fleet);
  expect(world.pulls()).toHaveLength(2);
});
