import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { type Agent, request } from "node:http";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { StorePlace } from "../../src/adapters/store/store.ts";
import { newPlace } from "./open-test-store.ts";
import { argumentOf } from "./place.ts";

const DOOR = fileURLToPath(new URL("./door-process.ts", import.meta.url));
const SECRET = "It's a Secret to Everybody";

/** A delivery as it is sent. */
export interface Sent {
  guid: string;
  body: string;
}

/** The way in as a process of its own, which can be killed and comes back on the same port. */
export interface Door {
  place: StorePlace;
  port(): number;
  pid(): number;
  start(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts a door on an empty database; `backlog`: how many open jobs an installation may have. */
export async function startDoor({ backlog = 1_000_000 } = {}): Promise<Door> {
  const place = await newPlace();
  let child: ChildProcess | null = null;
  let port = 0;
  async function start(): Promise<void> {
    port ||= await freePort();
    const words = [DOOR, argumentOf(place), String(port), SECRET, String(backlog)];
    const started = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    const ended = once(started, "exit").then(() => Promise.reject(new Error("the door ended")));
    await Promise.race([once(started.stdout, "data"), ended]);
    ended.catch(() => undefined);
  }
  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
  onTestFinished(kill);
  await start();
  return { place, port: () => port, pid: () => child?.pid ?? 0, start, kill };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** The status of one delivery, signed; null when the connection broke. */
export async function post(agent: Agent, port: number, sent: Sent): Promise<number | null> {
  return (await postTimed(agent, port, sent)).status;
}

/** The same, and how long the answer took from when all was sent, in ms. */
export function postTimed(
  agent: Agent,
  port: number,
  { guid, body }: Sent,
): Promise<{ status: number | null; ms: number }> {
  let from = performance.now();
  return new Promise((done) => {
    const resolve = (status: number | null) => done({ status, ms: performance.now() - from });
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "x-github-delivery": guid,
      "x-github-event": "issue_comment",
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
    };
    const path = "/api/github/webhooks";
    const sending = request({ agent, port, host: "127.0.0.1", path, method: "POST", headers });
    sending.on("response", (answer) => {
      answer.resume().on("close", () => resolve(answer.complete ? (answer.statusCode ?? 0) : null));
    });
    sending.on("error", () => resolve(null));
    sending.on("finish", () => {
      from = performance.now();
    });
    sending.end(body);
  });
}
