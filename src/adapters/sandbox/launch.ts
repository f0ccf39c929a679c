import { spawn } from "node:child_process";
import { once } from "node:events";
import { Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Broken } from "../../core/limits.ts";
import type { CommandResult } from "../../core/ports.ts";
import type { Bounded } from "./bounds.ts";
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
  /** Shell lines that run before everything else: the limits of processes. */
  limits: string[];
  /** Puts the process under the bounds of its job before it does anything. */
  admit(pid: number, stop: (why: Broken) => void): Promise<Bounded>;
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

/** Waits for the server's word; without it, because the server is gone, nothing is started. */
const GATE = "read -r -u 3 _ || exit 125";

/** The lines that run before bubblewrap does, outside, as the sandbox's uid. */
const OUTSIDE = [
  // No core dumps. A limit of 0 holds for files only: where the host hands dumps to a program, which runs
  // as its root, just one of 1 byte means none (core(5)).
  "prlimit --core=1 --pid $$ 2>/dev/null || ulimit -c 0 2>/dev/null",
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
  let notice = "";
  let total = 0;

  const lines = [
    GATE,
    ...request.limits,
    OUTSIDE,
    ...(request.stdin === undefined ? [] : [PIPE_IN]),
    request.stdout ? PIPE_OUT : PIPE_JOINED,
    'exec nice -n 10 "$@"',
  ];
  const child = spawn(request.bash, ["-c", lines.join("\n"), "bash", ...request.argv], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin:/run/current-system/sw/bin", ...request.env },
    detached: true,
    stdio: [request.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe", "pipe"],
    ...(request.user ?? {}),
  });
  const exited = once(child, "exit").then(
    ([code]) => ({ code, error: null }),
    (error: unknown) => ({ code: null, error }),
  );
  /** Gives up on pipes that something still holds open. */
  const letGo = () => {
    setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, GRACE_MS).unref();
  };
  const stop = (reason: CommandResult["stopped"], words = "") => {
    if (stopped !== null) return;
    stopped = reason;
    notice = words;
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
  const gate = child.stdio[3];
  // A process that was stopped at the gate does not read.
  gate?.on("error", () => gate.destroy());

  const timer = setTimeout(() => stop("timeout"), Math.min(request.timeoutMs, 2 ** 31 - 1));
  const cancel = () => stop("cancelled");
  request.signal.addEventListener("abort", cancel);
  if (request.signal.aborted) cancel();
  let bounded: Bounded | null = null;
  const settle = async () => {
    const held = bounded;
    bounded = null;
    return (await held?.end()) ?? null;
  };
  try {
    if (child.pid !== undefined) {
      bounded = await request.admit(child.pid, ({ stopped: which, words }) => stop(which, words));
    }
    if (gate && "end" in gate) gate.end("\n");
    const { code, error } = await exited;
    if (error !== null) throw error;
    endGroup(child);
    if (!request.stdout) letGo();
    const [sink] = await closed;
    const broken = await settle();
    // What became known only after the end counts for a command that no other bound had stopped.
    if (broken) stop(broken.stopped, broken.words);
    if (sink.status === "rejected" && stopped === null) throw sink.reason;
    if (inside.preamble !== null && stopped === null) throw new StartFailure(inside.preamble);
    const exitCode = stopped === null && typeof code === "number" ? code : null;
    const durationMs = Math.round(performance.now() - started);
    return { exitCode, stopped, output: withNotice(output.text(), notice), durationMs };
  } catch (thrown) {
    killTree(child);
    await exited;
    await settle();
    throw thrown;
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", cancel);
  }
}

/** Output with a last line that says why the command was stopped. */
function withNotice(text: string, notice: string): string {
  if (notice === "") return text;
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}[stopped: ${notice}]\n`;
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
