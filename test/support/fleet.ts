import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import {
  MODEL_KEY,
  PRIVATE_KEY,
  startWorld,
  WEBHOOK_SECRET,
  type World,
  type WorldOptions,
} from "./world.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const FAULTY_MAIN = fileURLToPath(new URL("./faulty-main.ts", import.meta.url));

/** One more process of a server that has several. */
export interface Member {
  child: ChildProcess;
  log(): string;
  /** Ends it; its exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** What `launcher` is to be, so that the world's own process takes webhooks only. */
const asWeb = () => ["sh", "-c", 'exec "$0" "$@" web'];

/** A world whose own process only takes webhooks: it is given no key of a model. */
export function startWebWorld(url: string, options: WorldOptions): Promise<World> {
  const env = { DATABASE_URL: url, OPENAI_API_KEY: "", OPENAI_BASE_URL: "", ...options.env };
  return startWorld({ ...options, launcher: asWeb, env });
}

/**
 * Starts a process beside those of a world, from the same settings; it resolves when the process works, and
 * rejects with what it said when it ends before. It ends with the test. With `faulty` it has failpoints.
 */
export async function join(
  world: World,
  words: string[],
  env: Record<string, string>,
  { faulty = false } = {},
): Promise<Member> {
  const child = spawn(process.execPath, [faulty ? FAULTY_MAIN : MAIN, ...words], {
    cwd: world.home,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: world.home,
      APP_ID: "4242",
      PRIVATE_KEY,
      WEBHOOK_SECRET,
      GHE_HOST: world.github.host,
      GHE_PROTOCOL: "http",
      DATA_DIR: path.join(world.home, "data"),
      OPENAI_API_KEY: MODEL_KEY,
      OPENAI_BASE_URL: world.model.url,
      DRAFTSMITH_MODEL: "gpt-5-mini",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe", ...(faulty ? (["ipc"] as const) : [])],
  });
  let log = "";
  const works = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (/Draftsmith (works|listens)/.test(log)) works.resolve();
    });
  }
  child.once("exit", (code) => works.reject(new Error(`it ended with ${code}: ${log}`)));
  const member: Member = {
    child,
    log: () => log,
    async stop(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
  onTestFinished(async () => void (await member.stop("SIGKILL")));
  await works.promise;
  return member;
}
