import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { createPostgresQueue } from "../../src/adapters/queue/postgres.ts";
import { openStore } from "../../src/adapters/store/store.ts";
import { join, startWebWorld } from "../support/fleet.ts";
import { silentLog } from "../support/log.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { aCommand, acceptJobs, aJob } from "../support/store-rows.ts";
import { plays, taskOf } from "../support/world.ts";

const LISTENER = fileURLToPath(new URL("../support/queue-listener.ts", import.meta.url));

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const write = (file: string) => ({ name: "write", arguments: { path: file, content: "x\n" } });
const play = plays({
  "first thing": { calls: [write("a.txt")], report: "Add a\n\nAs asked." },
  "second thing": { calls: [write("b.txt")], report: "Add b\n\nAs asked." },
  "third thing": { calls: [write("c.txt")], report: "Add c\n\nAs asked." },
});

/** Ports on which a process listens, of all addresses. */
function listening(pid: number): string[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        // Closed since it was listed.
        return "";
      }
    }),
  );
  return ["tcp", "tcp6"].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((words) => words[3] === "0A" && own.has(`socket:[${words[9]}]`))
      .map((words) => words[1] ?? ""),
  );
}

function children(pid: number): string {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
}

test("one process takes the webhooks and two do the work: three tasks, three pull requests, by both", {
  timeout: 120_000,
}, async () => {
  const url = await server.database();
  const both = Promise.withResolvers<void>();
  const asking = new Set<string>();
  const world = await startWebWorld(url, {
    config: "checks:\n  - test -f README.md\n",
    model: async (request) => {
      asking.add(taskOf(request));
      // Each worker has room for one: the first goes on when the second has a job, too.
      if (asking.size > 1) both.resolve();
      await both.promise;
      return play(request);
    },
  });
  const room = { DATABASE_URL: url, DRAFTSMITH_CONCURRENCY: "1" };
  const workers = await Promise.all(
    ["w1", "w2"].map((name) =>
      join(world, ["worker"], { ...room, DATA_DIR: path.join(world.home, name) }),
    ),
  );

  await world.say("/codex\n- first thing\n- second thing\n- third thing");
  const board = await world.ended();

  expect(world.answers()).toHaveLength(1);
  expect(board).toContain("is done with 3 tasks");
  expect(world.pulls()).toHaveLength(3);
  const claims = await sqlOn({ url, log: silentLog }, "select fence from jobs");
  expect(claims).toEqual([{ fence: 1 }, { fence: 1 }, { fence: 1 }]);
  for (const { child } of workers) expect(listening(child.pid ?? 0)).toEqual([]);
  const web = world.child().pid ?? 0;
  expect(listening(web)).toHaveLength(1);
  expect(children(web)).toBe("");
  const codes = await Promise.all(workers.map((worker) => worker.stop("SIGTERM")));
  expect([...codes, await world.stop("SIGTERM")]).toEqual([0, 0, 0]);
});

test("what was asked while no worker was there is done when one comes", {
  timeout: 120_000,
}, async () => {
  const url = await server.database();
  const world = await startWebWorld(url, { model: play });
  await world.say("/codex first thing");
  // A worker opens a port only where it is told to, and takes nothing there but the question how it is.
  const worker = await join(world, ["worker"], {
    DATABASE_URL: url,
    DRAFTSMITH_HEALTH_PORT: "0",
    HOST: "127.0.0.1",
  });
  await world.ended();
  expect(world.pulls()).toHaveLength(1);
  const at = `http://127.0.0.1:${/"health":(\d+)/.exec(worker.log())?.[1]}`;
  const health = await fetch(`${at}/healthz`);
  expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
  expect((await fetch(`${at}/api/github/webhooks`, { method: "POST", body: "{}" })).status).toBe(
    404,
  );
});

test("words and settings that fit no role are refused with the remedy", {
  timeout: 60_000,
}, async () => {
  const url = await server.database();
  const world = await startWebWorld(url, { model: play });
  await expect(join(world, ["wroker"], { DATABASE_URL: url })).rejects.toThrow(
    /wroker: is not a role; there are web and worker/,
  );
  await expect(join(world, ["worker"], {})).rejects.toThrow(/DATABASE_URL: is missing/);
  await expect(
    join(world, ["worker"], { DATABASE_URL: url, OPENAI_API_KEY: "", OPENAI_BASE_URL: "" }),
  ).rejects.toThrow(/OPENAI_API_KEY: is missing/);
  const away = "postgres://nobody:s3cret-word@127.0.0.1:1/none";
  await expect(join(world, ["worker"], { DATABASE_URL: away })).rejects.toThrow(
    /postgres:\/\/127\.0\.0\.1:1\/none/,
  );
  await expect(join(world, ["worker"], { DATABASE_URL: away })).rejects.not.toThrow(/s3cret-word/);
  const place = { url, log: silentLog };
  await sqlOn(place, "create database latin encoding 'LATIN1' locale 'C' template template0");
  const latin = new URL("/latin", url).href;
  await expect(join(world, ["worker"], { DATABASE_URL: latin })).rejects.toThrow(
    /latin: its encoding is LATIN1; name one that is in UTF8/,
  );
});

test("two workers on one data directory: the second is refused, the first goes on", {
  timeout: 60_000,
}, async () => {
  const url = await server.database();
  const world = await startWebWorld(url, { model: play });
  // Beside the process that takes webhooks there may be a worker in the same place.
  await join(world, ["worker"], { DATABASE_URL: url });
  await expect(join(world, ["worker"], { DATABASE_URL: url })).rejects.toThrow(
    /another Draftsmith server is using.*DATA_DIR/,
  );
  await world.say("/codex first thing");
  await world.ended();
  expect(world.pulls()).toHaveLength(1);
});

test("a worker hears at once of a job that another process stored: its poll is minutes away", {
  timeout: 60_000,
}, async () => {
  const url = await server.database();
  const place = { url, log: silentLog };
  const web = createPostgresQueue(place);
  const store = await openStore(place, web.announce);
  await web.open({ works: false });
  onTestFinished(async () => {
    await web.close();
    await store.close();
  });
  const worker = spawn(process.execPath, [LISTENER, url, "600000"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void worker.kill("SIGKILL"));
  const lines = createInterface({ input: worker.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  expect(await next()).toBe("asked");

  for (const id of ["first", "second", "third"]) {
    const command = aCommand(id);
    await acceptJobs(store, command, [aJob(id, command)]);
    expect(await next()).toBe(`claimed ${id}`);
    expect(await next()).toBe("asked");
  }
  // What nobody announced is found only with the next one that is: none of these came by the poll.
  const unheard = await openStore(place);
  onTestFinished(() => unheard.close());
  const silent = aCommand("silent");
  await acceptJobs(unheard, silent, [aJob("silent", silent)]);
  const last = aCommand("last");
  await acceptJobs(store, last, [aJob("last", last)]);
  expect([await next(), await next()].sort()).toEqual(["claimed last", "claimed silent"]);
  expect(await next()).toBe("asked");
});

test("what troubles the queue is told in the words of the database", async () => {
  const url = await server.database();
  const warn = vi.fn();
  const { queue, open, close } = createPostgresQueue({ url, log: { ...silentLog, warn } });
  await open({ works: true });
  onTestFinished(close);
  await sqlOn({ url, log: silentLog }, "alter schema draftsmith_queue rename to elsewhere");
  await queue.start(1, async () => false);
  onTestFinished(() => queue.stop());
  await vi.waitFor(() => expect(warn.mock.calls.length).toBeGreaterThan(2), { timeout: 20_000 });
  for (const [told] of warn.mock.calls) {
    expect(told).toEqual({ reason: expect.stringContaining("does not exist") });
  }
});
