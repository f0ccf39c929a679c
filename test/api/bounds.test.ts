import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createBuckets } from "../../src/api/buckets.ts";
import { readBody } from "../../src/api/read-body.ts";
import { createRoom } from "../../src/api/room.ts";
import { serve } from "../../src/api/server.ts";
import { createTurns } from "../../src/api/turns.ts";
import { silentLog } from "../support/log.ts";

const MB = 1024 * 1024;

describe("a bucket", () => {
  it("gives what it holds, then what comes back with time, and never more", () => {
    let time = 0;
    const buckets = createBuckets({ capacity: 3, perSecond: 2, now: () => time });
    const take = (n: number) => Array.from({ length: n }, () => buckets.take("a"));
    expect(take(4)).toEqual([true, true, true, false]);
    expect([buckets.has("a"), buckets.retryAfter("a")]).toEqual([false, 1]);
    time = 500;
    expect(take(2)).toEqual([true, false]);
    time = 3_600_000;
    expect(take(4)).toEqual([true, true, true, false]);
    expect(buckets.take("b")).toBe(true);
  });

  it("says how long to wait", () => {
    const buckets = createBuckets({ capacity: 1, perSecond: 0.1, now: () => 0 });
    buckets.take("a");
    expect(buckets.retryAfter("a")).toBe(10);
  });

  it("forgets who was quiet longest when a million clients come", () => {
    const buckets = createBuckets({ capacity: 1, perSecond: 0, now: () => 0 });
    buckets.take("first");
    buckets.take("busy");
    for (let n = 0; n < 50_000; n += 1) {
      buckets.take(`client ${n}`);
      buckets.take("busy");
    }
    expect([buckets.has("first"), buckets.has("busy")]).toEqual([true, false]);
  });
});

describe("the room for bodies", () => {
  it("lets one client hold so much, and no more", () => {
    const room = createRoom();
    const body = room.open("a");
    expect([body.take(20 * MB), body.take(10 * MB)]).toEqual([true, true]);
    expect(room.open("a").take(5 * MB)).toBe(false);
    expect(room.open("b").take(5 * MB)).toBe(true);
    body.close();
    expect(room.open("a").take(25 * MB)).toBe(true);
  });

  it("has a place for every small body, whatever fills it", () => {
    const room = createRoom();
    for (const client of ["a", "b", "c"]) expect(room.open(client).take(30 * MB)).toBe(true);
    expect(room.open("d").take(20 * MB)).toBe(false);
    for (const client of ["a", "d"]) {
      const small = room.open(client);
      expect([small.take(60 * 1024), small.take(60 * 1024)]).toEqual([true, true]);
    }
  });
});

describe("turns", () => {
  it("come in order, and not at all for who waits too long", async () => {
    const turns = createTurns(1, 2);
    expect(await turns.take(0)).toBe(true);
    const order: string[] = [];
    const late = turns.take(1).then((came) => order.push(`late ${came}`));
    await late;
    const first = turns.take(10_000).then((came) => order.push(`first ${came}`));
    const second = turns.take(10_000).then((came) => order.push(`second ${came}`));
    // The line is full.
    expect(await turns.take(10_000)).toBe(false);
    turns.give();
    await first;
    turns.give();
    await second;
    turns.give();
    expect(await turns.take(0)).toBe(true);
    expect(order).toEqual(["late false", "first true", "second true"]);
  });
});

describe("connections", () => {
  async function open(port: number): Promise<Socket> {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  it("that keep the server waiting make room for one that does not", async () => {
    let time = 0;
    const rest = { proxies: 0, now: () => time, log: silentLog };
    const readAll = async (request: IncomingMessage) => {
      await readBody(request, { most: MB });
      return new Response("read");
    };
    const holds = { "/ping": { GET: async () => new Response("PONG"), POST: readAll } };
    const server = await serve(holds, { host: "127.0.0.1", port: 0, ...rest });
    onTestFinished(() => server.close());
    const silent = await Promise.all(Array.from({ length: 100 }, () => open(server.port)));
    const slow = await Promise.all(Array.from({ length: 156 }, () => open(server.port)));
    for (const socket of slow) {
      socket.write("POST /ping HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1");
    }
    // Once this one was answered, those before it were taken.
    await fetch(`http://127.0.0.1:${server.port}/ping`).then((response) => response.text());
    time = 3000;
    const late: Socket[] = [];
    for (let n = 0; n < 300; n += 1) late.push(await open(server.port));
    const newest = late.at(-1);
    newest?.setEncoding("utf8").write("GET /ping HTTP/1.1\r\nhost: x\r\n\r\n");
    const [said] = newest ? await once(newest, "data") : [];
    expect(said).toMatch(/^HTTP\/1\.1 200 /);
    await Promise.all(
      [...silent, ...slow].map((socket) => (socket.resume().closed ? null : once(socket, "close"))),
    );
  });

  it("that never finish their headers end soon, at any speed", async () => {
    const rest = { proxies: 0, now: () => 0, log: silentLog };
    const server = await serve({}, { host: "127.0.0.1", port: 0, ...rest });
    onTestFinished(() => server.close());
    const socket = await open(server.port);
    socket.setEncoding("utf8");
    socket.write("POST / HTTP/1.1\r\nhost: x\r\n");
    const drip = setInterval(() => socket.write("x: y\r\n"), 200);
    onTestFinished(() => clearInterval(drip));
    const [said] = await once(socket, "data");
    expect(said).toMatch(/^HTTP\/1\.1 408 /);
  });
});
