import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What a server may take over from the shell that started the demo; its settings come from the demo alone. */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_ALL|TZ|TMPDIR|TERM|NODE_EXTRA_CA_CERTS|(https?|no|all)_proxy)$/i;

const START_MS = 30_000;
const STOP_MS = 10_000;

/** The server as `npm start` runs it. */
export interface Product {
  url: string;
  /** Resolves when it serves; throws when it ended, or when it has no working sandbox. */
  ready: (signal: AbortSignal) => Promise<void>;
  /** The end of what it wrote. */
  logTail: (lines: number) => Promise<string>;
  /** Asks it to end, and ends it after ten seconds. */
  stop: () => Promise<void>;
}

/** Starts `npm start` with these settings on a free port of 127.0.0.1; what it writes goes to a file. */
export async function startProduct(
  settings: Record<string, string>,
  logFile: string,
): Promise<Product> {
  const port = await freePort();
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.test(name));
  const env = {
    ...Object.fromEntries(inherited),
    ...settings,
    HOST: "127.0.0.1",
    PORT: String(port),
  };
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm?.endsWith(".js")
    ? [process.execPath, npm, "start"]
    : ["npm", "start"];
  // A process group of its own, so that nothing npm started can outlive the demo.
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(logFile, { mode: 0o600 });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  let failure: Error | null = null;
  child.once("error", (error) => {
    failure = error;
  });

  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    async ready(signal) {
      for (
        const end = Date.now() + START_MS;
        Date.now() < end;
        await sleep(100, null, { signal })
      ) {
        if (failure) throw failure;
        if (child.exitCode !== null) throw new Error(`npm start ended with code ${child.exitCode}`);
        const status = await healthOf(url);
        if (status === 200) return;
        if (status !== null) throw new Error(`GET /healthz answers ${status}`);
      }
      throw new Error(`npm start did not serve within ${START_MS / 1000} s`);
    },
    async logTail(lines) {
      const text = await readFile(logFile, "utf8");
      return text.trimEnd().split("\n").slice(-lines).join("\n");
    },
    async stop() {
      await stopGroup(child);
      log.end();
    },
  };
}

async function healthOf(url: string): Promise<number | null> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5000) });
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    // Nobody listens yet.
    if (error instanceof Error) return null;
    throw error;
  }
}

/** npm hands SIGTERM on to the server; whatever of the group is left after that is ended as well. */
async function stopGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) process.kill(pid, "SIGTERM");
  const end = Date.now() + STOP_MS;
  let asked = false;
  while (groupLives(pid)) {
    const npmEnded = child.exitCode !== null || child.signalCode !== null;
    if (Date.now() > end) process.kill(-pid, "SIGKILL");
    else if (npmEnded && !asked) {
      process.kill(-pid, "SIGTERM");
      asked = true;
    }
    await sleep(50);
  }
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
