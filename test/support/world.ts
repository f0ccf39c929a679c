import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { GitHubOptions } from "../../demo/github/initial-state.ts";
import { type GitHubStandIn, startGitHub } from "../../demo/github/start.ts";
import type { StorePlace } from "../../src/adapters/store/store.ts";
import {
  type ChatRequest,
  type ModelServer,
  type ScriptedReply,
  startModelServer,
} from "./model-server.ts";
import { newPlace, onPostgres } from "./open-test-store.ts";
import {
  makeRepository,
  type RepositoryOptions,
  viewRepository,
  type WorldRepository,
} from "./world-repository.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const FAULTY_MAIN = fileURLToPath(new URL("./faulty-main.ts", import.meta.url));

/** The App's key pair; made once, for making one takes a while. */
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

export const WEBHOOK_SECRET = "webhook-s3cret-of-the-test";
export const MODEL_KEY = "sk-model-key-of-the-test-0123456789";
export const PRIVATE_KEY = privateKey;

export interface WorldOptions extends RepositoryOptions {
  model: (request: ChatRequest, number: number) => ScriptedReply | Promise<ScriptedReply>;
  fault?: GitHubOptions["fault"];
  drafts?: boolean;
  env?: Record<string, string>;
  /** Words before the server's own, such as a program that starts it with something inherited. */
  launcher?: (home: string) => string[];
  /** Starts the server with failpoints, which `child()` takes by message (test/support/failpoints.ts). */
  failpoints?: boolean;
  /** The program that is started; the product's own unless given. */
  main?: string;
  /** More repositories of acme's beside `shop`, by name. */
  repositories?: Record<string, RepositoryOptions>;
}

/** The whole product as a real process, between a GitHub and a model that are stood in for; its own view is `shop`'s. */
export interface World extends WorldRepository {
  github: GitHubStandIn;
  model: ModelServer;
  dataDir: string;
  /** HOME of the server's user; holds the data directory, too. */
  home: string;
  /** One of acme's repositories by name. */
  at(name: string): WorldRepository;
  log(): string;
  /** The process that was started last. */
  child(): ChildProcess;
  /** Where its rows are. */
  place: StorePlace;
  /** Starts the server; `env` holds for this start only. */
  start(env?: Record<string, string>): Promise<void>;
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<number | null>;
}

/** Builds a world and starts the product in it; everything ends with the test. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { world, end } = await buildWorld(options);
  onTestFinished(end);
  await world.start();
  return world;
}

/** Builds a world that several tests share, and starts the product in it; call `end` after them. */
export async function openWorld(
  options: WorldOptions,
): Promise<{ world: World; end: () => Promise<void> }> {
  const built = await buildWorld(options);
  try {
    await built.world.start();
  } catch (error) {
    await built.end();
    throw error;
  }
  return built;
}

/** Runs something in a world of its own, outside a test. */
export async function withWorld(
  options: WorldOptions,
  run: (world: World) => Promise<void>,
): Promise<void> {
  const { world, end } = await buildWorld(options);
  try {
    await world.start();
    await run(world);
  } finally {
    await end();
  }
}

async function buildWorld(
  options: WorldOptions,
): Promise<{ world: World; end: () => Promise<void> }> {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-e2e-"));
  chmodSync(dir, 0o755);
  const given = Object.entries({ shop: options, ...options.repositories });
  const repositories = await Promise.all(
    given.map(([name, each]) => makeRepository(dir, name, each)),
  );
  const github = await startGitHub({
    app: { id: 4242, slug: "draftsmith", privateKey },
    webhookSecret: WEBHOOK_SECRET,
    repositories,
    ...(options.fault ? { fault: options.fault } : {}),
    ...(options.drafts === undefined ? {} : { drafts: options.drafts }),
  });
  const model = await startModelServer(options.model);
  const dataDir = path.join(dir, "data");
  const database = onPostgres ? await newPlace() : null;
  const port = await freePort();
  github.hook.url = `http://127.0.0.1:${port}/api/github/webhooks`;
  let child: ChildProcess | null = null;
  /** All that were ever started: one that was refused must not hide the one that serves. */
  const children: ChildProcess[] = [];
  let log = "";

  async function start(env: Record<string, string> = {}): Promise<void> {
    const main = options.main ?? (options.failpoints ? FAULTY_MAIN : MAIN);
    const words = [...(options.launcher?.(dir) ?? []), process.execPath, main];
    const started = spawn(words[0] ?? "", words.slice(1), {
      cwd: dir,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: dir,
        APP_ID: "4242",
        PRIVATE_KEY: privateKey,
        WEBHOOK_SECRET,
        GHE_HOST: github.host,
        GHE_PROTOCOL: "http",
        HOST: "127.0.0.1",
        PORT: String(port),
        DATA_DIR: dataDir,
        OPENAI_API_KEY: MODEL_KEY,
        OPENAI_BASE_URL: model.url,
        DRAFTSMITH_MODEL: "gpt-5-mini",
        LOG_LEVEL: "info",
        ...(database && "url" in database ? { DATABASE_URL: database.url } : {}),
        ...options.env,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe", ...(options.failpoints ? (["ipc"] as const) : [])],
    });
    child = started;
    children.push(started);
    const listens = Promise.withResolvers<void>();
    for (const stream of [started.stdout, started.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (text.includes("Draftsmith listens")) listens.resolve();
      });
    }
    started.once("exit", (code, signal) =>
      listens.reject(new Error(`the server ended with ${code ?? signal}: ${log}`)),
    );
    await listens.promise;
  }

  const stop = async (signal: "SIGTERM" | "SIGKILL") => child && endProcess(child, signal);

  const at = (name: string): WorldRepository => {
    const made = repositories.find((each) => each.name === name);
    if (!made) throw new Error(`no repository ${name}`);
    return viewRepository(github, made, () => log);
  };
  const world: World = {
    ...at("shop"),
    github,
    model,
    dataDir,
    home: dir,
    at,
    log: () => log,
    child() {
      if (child === null) throw new Error("no server was started");
      return child;
    },
    place: database ?? { file: path.join(dataDir, "draftsmith.db") },
    start,
    stop,
  };
  const end = async () => {
    await Promise.all(children.map((each) => endProcess(each, "SIGKILL")));
    await github.close();
    await model.close();
    rmSync(dir, { recursive: true, force: true });
  };
  return { world, end };
}

/** Ends a process that may have ended already; its exit code. */
async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return null;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
  return child.exitCode;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** The task a request is about, as its first user message fences it. */
export function taskOf(request: ChatRequest): string {
  const first = request.messages.find((message) => message.role === "user")?.content ?? "";
  return /=+ begin task =+\n([\s\S]*)\n=+ end task =+/.exec(first)?.[1] ?? "";
}

/** A model that makes the calls of a task's script one after another, then reports. */
export function plays(
  scripts: Record<string, { calls: { name: string; arguments: unknown }[]; report: string }>,
): (request: ChatRequest) => ScriptedReply {
  return (request) => {
    const script = Object.entries(scripts).find(([task]) => taskOf(request).includes(task))?.[1];
    if (!script) return { content: "No such task\n\nNothing to do." };
    const replies = request.messages.filter((message) => message.role === "assistant").length;
    const call = script.calls[replies];
    return call ? { toolCalls: [call] } : { content: script.report };
  };
}
