import { spawn } from "node:child_process";
import { once } from "node:events";
import { Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { CommandResult } from "../../core/ports.ts";
import { createOutput } from "./output.ts";
import type { SandboxUser } from "./toolchain.ts";
import { endGroup, killTree } from "./tree.ts";

/** A prepared command with everything that bounds it. */
export interface Launch {
  bash: string;
  argv: string[];
  env: Record<string, string>;
  user: SandboxUser | null;
  stdin: string | Uint8Array | undefined;
  stdout: Writable | undefined;
  /** What the first line inside prints on standard error: before it, nothing of the command has run. */
  marker: string;
  timeoutMs: number;
  maxOutputBytes: number;
  keepBytes: number;
  signal: AbortSignal;
}

/** The boundary could not be set up; `said` is what bubblewrap or the shell said. */
export class StartFailure extends Error {
  override name = "StartFailure";
  readonly said: string;

  constructor(said: string) {
    super(`The sandbox did not start: ${said}`);
    this.said = said;
  }
}

/**
 * Per process tree: processes and threads; open files; KiB of one file. A limit that is already lower
 * stays. Processes count by uid, which is why each workspace of a root server has its own.
 */
const LIMITS = ["-u 2048", "-n 8192", `-f ${2 * 1024 * 1024}`];

/** The lines that run before bubblewrap does, outside, as the sandbox's uid. */
const OUTSIDE = [
  // No core dumps. A limit of 0 holds for files only: where the host hands dumps to a program, which runs
  // as its root, just one of 1 byte means none (core(5)).
  "prlimit --core=1 --pid $$ 2>/dev/null || ulimit -c 0 2>/dev/null",
  ...LIMITS.map((limit) => `ulimit ${limit} 2>/dev/null`),
  // When memory runs out the kernel takes a job's process, not the server.
  "{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null",
  // Whatever the server itself inherited stays out.
  "cd /dev/fd && for fd in *; do",
  '  case "$fd" in 0 | 1 | 2 | *[!0-9]*) ;; *) eval "exec $fd>&-" ;; esac',
  "done; cd /",
].join("\n");

/** Node hands out sockets, on which /dev/stdin, /dev/stdout and /dev/stderr cannot be opened: pipes can. */
const PIPE_IN = "exec < <(exec cat)";
const PIPE_OUT = "exec > >(exec cat) 2> >(exec cat >&2)";
/** One pipe for both keeps what is said in order. */
const PIPE_JOINED = "exec > >(exec cat) 2>&1";

/**
 * How long the pipes may stay open after the end. On Linux nothing is left to hold them by then, and a
 * busy server may need a while to read; on macOS a process that left its group can hold them forever.
 */
const GRACE_MS = process.platform === "linux" ? 10_000 : 1000;

/**
 * Runs a prepared command to its end and its whole process tree with it. Rejects when it did not start
 * (StartFailure, or what spawn said) or when `stdout` failed; ends `stdout` in every other case.
 */
export async function launch(request: Launch): Promise<Omit<CommandResult, "deniedHosts">> {
  const output = createOutput(request.keepBytes);
  const started = performance.now();
  let stopped: CommandResult["stopped"] = null;
  let total = 0;

  const lines = [
    OUTSIDE,
    ...(request.stdin === undefined ? [] : [PIPE_IN]),
    request.stdout ? PIPE_OUT : PIPE_JOINED,
    'exec "$@"',
  ];
  const child = spawn(request.bash, ["-c", lines.join("\n"), "bash", ...request.argv], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin:/run/current-system/sw/bin", ...request.env },
    detached: true,
    stdio: [request.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(request.user ?? {}),
  });
  /** Gives up on pipes that something still holds open. */
  const letGo = () => {
    setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, GRACE_MS).unref();
  };
  const stop = (reason: CommandResult["stopped"]) => {
    if (stopped !== null) return;
    stopped = reason;
    killTree(child);
    letGo();
  };
  /** The part of a chunk that is still within the limit. */
  const within = (chunk: Buffer): Buffer => {
    const room = Math.max(0, request.maxOutputBytes - total);
    total += chunk.length;
    if (chunk.length > room) stop("output");
    return chunk.subarray(0, room);
  };
  const inside = afterMarker(request.marker);
  const read = (chunk: Buffer) => {
    const rest = inside.take(chunk);
    if (rest) output.push(within(rest));
  };

  const { stdin, stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error("spawn gave no pipes");
  stderr.on("data", read);
  const meter = new Transform({ transform: (chunk: Buffer, _, done) => done(null, within(chunk)) });
  const drained = request.stdout
    ? pipeline(stdout, meter, request.stdout)
    : once(stdout.on("data", read), "close");
  // A failing sink ends the command; why it failed is thrown at the end.
  drained.catch(() => killTree(child));
  const closed = Promise.allSettled([drained, once(stderr, "close")]);
  // A command that does not read its input closes the pipe: no failure of ours.
  stdin?.on("error", () => stdin.destroy());
  stdin?.end(request.stdin);

  const timer = setTimeout(() => stop("timeout"), Math.min(request.timeoutMs, 2 ** 31 - 1));
  const cancel = () => stop("cancelled");
  request.signal.addEventListener("abort", cancel);
  if (request.signal.aborted) cancel();
  try {
    const [code] = await once(child, "exit");
    endGroup(child);
    if (!request.stdout) letGo();
    const [sink] = await closed;
    if (sink.status === "rejected" && stopped === null) throw sink.reason;
    if (inside.preamble !== null && stopped === null) throw new StartFailure(inside.preamble);
    const exitCode = stopped === null && typeof code === "number" ? code : null;
    const durationMs = Math.round(performance.now() - started);
    return { exitCode, stopped, output: output.text(), durationMs };
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", cancel);
  }
}

/** Passes on what follows the marker; `preamble` is what came before it, null once it was seen. */
function afterMarker(marker: string): {
  preamble: string | null;
  take(chunk: Buffer): Buffer | null;
} {
  let before = Buffer.alloc(0);
  return {
    preamble: "",
    take(chunk) {
      if (this.preamble === null) return chunk;
      before = Buffer.concat([before, chunk]);
      const at = before.indexOf(marker);
      this.preamble = at === -1 ? before.toString("utf8").trim() : null;
      return at === -1 ? null : before.subarray(at + Buffer.byteLength(marker));
    },
  };
}
