import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { GitPluginError, type SimpleGitOptions, simpleGit } from "simple-git";

const MINUTE_MS = 60_000;
/** Standard error that is kept, in characters: enough for what git and GitHub say at the end. */
const STDERR_KEPT = 64 * 1024;

/**
 * Built from nothing: neither the operator's environment nor any configuration outside the mirror
 * reaches git (trust.md T10, T11). The helpers git starts live in its own exec path.
 */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin",
  HOME: "/nonexistent",
  LANG: "C",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_LITERAL_PATHSPECS: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
};

/** Last word on every setting that could run a program; a mirror's own configuration comes before it. */
const SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.sshCommand=false",
  "core.attributesFile=/dev/null",
  "core.protectHFS=true",
  "core.protectNTFS=true",
  "core.quotePath=false",
  "credential.helper=",
  "protocol.ext.allow=never",
  "protocol.file.allow=never",
  "safe.bareRepository=explicit",
  "gc.auto=0",
  "maintenance.auto=false",
  "fetch.recurseSubmodules=false",
  // Loose objects of a killed unpack could lack what they point at; a pack is taken whole or not at all.
  "transfer.unpackLimit=1",
];

/** simple-git refuses these settings unless named; here all of them are constants that switch things off. */
const CONSTANTS_ALLOWED: NonNullable<SimpleGitOptions["unsafe"]> = {
  allowUnsafeHooksPath: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeSshCommand: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeTemplateDir: true,
};

/** Git ended with a code that was not expected. */
export class GitFailure extends Error {
  override name = "GitFailure";
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(command: string, exitCode: number | null, stderr: string) {
    super(`git ${command} ended with ${exitCode ?? "a signal"}: ${stderr.trim().slice(-2000)}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

interface PlainOptions {
  /** Written to standard input. */
  input?: string;
  env?: Record<string, string>;
  /** Exit codes that are answers; 0 by default. */
  codes?: number[];
  /** Longest silence before git is stopped, in ms; two minutes by default. */
  silenceMs?: number;
}

/**
 * A plain call of git in a repository: fixed arguments, text in, text out, through simple-git. No
 * user's string may stand where an option could. Throws GitFailure for any exit code not in `codes`.
 */
export async function git(
  gitDir: string,
  args: string[],
  options: PlainOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...ENVIRONMENT, ...options.env, GIT_DIR: gitDir };
  const { input } = options;
  let code = 0;
  let stderr = "";
  const runner = simpleGit({
    baseDir: "/",
    config: SETTINGS,
    unsafe: CONSTANTS_ALLOWED,
    allowEnvironment: Object.keys(env),
    completion: { onClose: true, onExit: false },
    timeout: { block: options.silenceMs ?? 2 * MINUTE_MS },
    ...(input === undefined ? {} : { input: () => input }),
    errors(error, result) {
      code = result.exitCode;
      stderr = Buffer.concat(result.stdErr).toString();
      return error instanceof GitPluginError ? error : undefined;
    },
  }).env(env);
  const stdout = await runner.raw(args);
  if (!(options.codes ?? [0]).includes(code)) throw new GitFailure(args[0] ?? "", code, stderr);
  return { code, stdout, stderr };
}

interface StreamOptions {
  env?: Record<string, string>;
  /** Whether something will be written to its standard input. */
  stdin?: boolean;
  /** Longest run, in ms; ten minutes by default. */
  timeoutMs?: number;
  /** Whether what `env` makes git say on descriptor 3 is read: it is in `child.stdio[3]`. */
  aside?: boolean;
}

/** A running git whose output is read as it comes. */
export interface RunningGit {
  child: ChildProcess;
  /** Settles when it has ended and its pipes are closed; rejects when it could not be started. */
  ended: Promise<{ code: number | null; stderr: string }>;
  kill(): void;
}

/** What ends with the server, though it has process groups of its own. */
const running = new Set<() => void>();
process.once("exit", () => {
  for (const kill of running) kill();
});

/**
 * Starts git with the same settings without simple-git, which can carry neither packs on a pipe, nor
 * paths that are not UTF-8, nor an environment with a token that nothing may log.
 */
export function startGit(gitDir: string, args: string[], options: StreamOptions = {}): RunningGit {
  const stdio: StdioOptions = [options.stdin ? "pipe" : "ignore", "pipe", "pipe"];
  if (options.aside) stdio.push("pipe");
  const child = spawn("git", [...SETTINGS.flatMap((setting) => ["-c", setting]), ...args], {
    cwd: "/",
    env: { ...ENVIRONMENT, ...options.env, GIT_DIR: gitDir },
    stdio,
    // A group of its own, so that a transfer helper that hangs is stopped with it.
    detached: true,
  });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  // A git that stops reading tells why on its way out; the broken pipe itself says nothing more.
  child.stdin?.on("error", () => child.stdin?.destroy());
  const kill = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, "SIGKILL");
  };
  running.add(kill);
  const timer = setTimeout(
    () => {
      stderr += "\nstopped: the time limit was reached\n";
      kill();
    },
    options.timeoutMs ?? 10 * MINUTE_MS,
  );
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stderr }));
  }).finally(() => {
    clearTimeout(timer);
    running.delete(kill);
  });
  // Whoever started it awaits the end, perhaps only after the failure came.
  ended.catch(() => undefined);
  return { child, ended, kill };
}

/**
 * Standard output of git as bytes, `null` once it is larger than `maxBytes` (git is stopped then).
 * Throws GitFailure when it does not end with 0.
 */
export async function gitBytes(
  gitDir: string,
  args: string[],
  options: { maxBytes: number; input?: string | Buffer; env?: Record<string, string> },
): Promise<Buffer | null> {
  const { input, maxBytes, ...rest } = options;
  const running = startGit(gitDir, args, { ...rest, stdin: input !== undefined });
  running.child.stdin?.end(input);
  const chunks: Buffer[] = [];
  let size = 0;
  running.child.stdout?.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else running.kill();
  });
  const { code, stderr } = await running.ended;
  if (size > maxBytes) return null;
  if (code !== 0) throw new GitFailure(args[0] ?? "", code, stderr);
  return Buffer.concat(chunks);
}

/**
 * NUL-terminated records of git's standard output as they come. Leaving the loop early stops git;
 * otherwise throws GitFailure when it does not end with 0.
 */
export async function* gitRecords(
  gitDir: string,
  args: string[],
  env: Record<string, string> = {},
): AsyncGenerator<Buffer> {
  const running = startGit(gitDir, args, { env });
  const { stdout } = running.child;
  if (stdout === null) throw new Error("git has no standard output");
  try {
    let rest = Buffer.alloc(0);
    for await (const chunk of stdout) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0, start)) {
        yield rest.subarray(start, end);
        start = end + 1;
      }
      rest = rest.subarray(start);
    }
    const { code, stderr } = await running.ended;
    if (code !== 0) throw new GitFailure(args[0] ?? "", code, stderr);
  } finally {
    running.kill();
  }
}
