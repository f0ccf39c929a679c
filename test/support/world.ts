import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { GitHubOptions } from "../../demo/github/initial-state.ts";
import { type GitHubStandIn, startGitHub } from "../../demo/github/start.ts";
import type { Comment, Pull } from "../../demo/github/state.ts";
import {
  type ChatRequest,
  type ModelServer,
  type ScriptedReply,
  startModelServer,
} from "./model-server.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const END = /✅ done|⚠️ done|➖ no change|⛔ blocked|💸 over budget|❌ failed|🚫 cancelled/g;

/** The App's key pair; made once, for making one takes a while. */
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

export const WEBHOOK_SECRET = "webhook-s3cret-of-the-test";
export const MODEL_KEY = "sk-model-key-of-the-test-0123456789";
export const PRIVATE_KEY = privateKey;

export interface WorldOptions {
  /** Files of the first commit, path → content. */
  files?: Record<string, string>;
  /** Content of `.github/codex.yml`. */
  config?: string;
  model: (request: ChatRequest, number: number) => ScriptedReply | Promise<ScriptedReply>;
  fault?: GitHubOptions["fault"];
  drafts?: boolean;
  env?: Record<string, string>;
}

/** The whole product as a real process, between a GitHub and a model that are stood in for. */
export interface World {
  github: GitHubStandIn;
  model: ModelServer;
  dataDir: string;
  /** The bare repository on the stand-in. */
  bare: string;
  baseSha: string;
  log(): string;
  /** Posts a comment; resolves when its webhook was answered. */
  say(body: string, issue?: number, login?: string): Promise<Comment>;
  /** Waits until the newest board on an issue shows an ending for every row; its text. */
  ended(issue?: number, boards?: number): Promise<string>;
  /** Comments of the App on an issue, oldest first. */
  answers(issue?: number): Comment[];
  pulls(): Pull[];
  pullBody(pull: Pull): string;
  show(spec: string): Promise<string>;
  start(): Promise<void>;
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<number | null>;
}

/** Builds a world and starts the product in it; everything ends with the test. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { world, end } = await buildWorld(options);
  onTestFinished(end);
  await world.start();
  return world;
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
  const bare = path.join(dir, "shop.git");
  const baseSha = await firstCommit(bare, {
    "README.md": "# Shop\n",
    ...options.files,
    ...(options.config === undefined ? {} : { ".github/codex.yml": options.config }),
  });
  const github = await startGitHub({
    app: { id: 4242, slug: "draftsmith", privateKey },
    webhookSecret: WEBHOOK_SECRET,
    repositories: [
      {
        owner: "acme",
        name: "shop",
        path: bare,
        collaborators: { ada: "write", eve: "read" },
        issues: [{ title: "Auth", body: "Please mend auth.", author: "ada" }],
      },
    ],
    ...(options.fault ? { fault: options.fault } : {}),
    ...(options.drafts === undefined ? {} : { drafts: options.drafts }),
  });
  const model = await startModelServer(options.model);
  const dataDir = path.join(dir, "data");
  const port = await freePort();
  github.hook.url = `http://127.0.0.1:${port}/api/github/webhooks`;
  let child: ChildProcess | null = null;
  /** All that were ever started: one that was refused must not hide the one that serves. */
  const children: ChildProcess[] = [];
  let log = "";

  async function start(): Promise<void> {
    const started = spawn(process.execPath, [MAIN], {
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
        ...options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    children.push(started);
    const listens = Promise.withResolvers<void>();
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (text.includes("Draftsmith listens")) listens.resolve();
      });
    }
    started.once("exit", (code) =>
      listens.reject(new Error(`the server ended with ${code}: ${log}`)),
    );
    await listens.promise;
  }

  const stop = async (signal: "SIGTERM" | "SIGKILL") => child && endProcess(child, signal);

  const repository = () => github.repository("shop");
  const answers = (issue = 1) =>
    [...repository().comments.values()].filter(
      (comment) => comment.issue === issue && comment.author === "draftsmith[bot]",
    );
  const world: World = {
    github,
    model,
    dataDir,
    bare,
    baseSha,
    log: () => log,
    async say(body, issue = 1, login = "ada") {
      const said = await github.comment({ repository: "shop", issue, login, body });
      return said.comment;
    },
    ended: (issue = 1, boards = 1) =>
      ended(
        github,
        () => answers(issue),
        boards,
        () => log,
      ),
    answers,
    pulls: () => [...repository().pulls.values()].sort((a, b) => a.number - b.number),
    pullBody: (pull) => repository().issues.get(pull.number)?.body ?? "",
    show: (spec) => git(bare, ["show", spec]),
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

/** Waits on the stand-in's changes until that many boards stand and each of their rows has ended. */
async function ended(
  github: GitHubStandIn,
  answers: () => Comment[],
  count: number,
  log: () => string,
): Promise<string> {
  const found = Promise.withResolvers<string>();
  const look = () => {
    const boards = answers().filter((comment) => comment.body.includes("draftsmith:board:"));
    const last = boards.at(-1)?.body ?? "";
    if (boards.length >= count && boards.every((board) => allEnded(board.body)))
      found.resolve(last);
  };
  const stopListening = github.onChange(look);
  const limit = setTimeout(
    () =>
      found.reject(
        new Error(
          `no end; the boards are:\n${answers()
            .map((each) => each.body)
            .join("\n")}\n${log()}`,
        ),
      ),
    55_000,
  );
  look();
  try {
    return await found.promise;
  } finally {
    clearTimeout(limit);
    stopListening();
  }
}

function allEnded(board: string): boolean {
  const rows = board.split("\n").filter((line) => /^\| \d+ \|/.test(line));
  return rows.length > 0 && rows.every((row) => row.match(END) !== null);
}

async function firstCommit(bare: string, files: Record<string, string>): Promise<string> {
  mkdirSync(bare);
  await git(bare, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  const tree = mkdtempSync(path.join(tmpdir(), "draftsmith-tree-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), content);
  }
  const env = { GIT_DIR: bare, GIT_WORK_TREE: tree };
  await git(tree, ["add", "-A"], { env });
  const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  await git(tree, [...identity, "commit", "-qm", "Begin"], { env });
  rmSync(tree, { recursive: true });
  return git(bare, ["rev-parse", "main"]);
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
