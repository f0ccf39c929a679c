import type { Writable } from "node:stream";
import type { Stopped } from "./job.ts";
import type { Workspace } from "./ports.ts";

/** One command in the sandbox. */
export interface SandboxCommand {
  workspace: Workspace;
  /** Run by `bash -c`, in the tree unless `cwd` (relative to it) says otherwise. */
  script: string;
  /** Positional arguments of the script ($1…), so that no user text is spliced into it. */
  args?: string[];
  cwd?: string;
  stdin?: string | Uint8Array;
  env?: Record<string, string>;
  /**
   * Domains it may reach, through a proxy that names what it refuses; an empty list is worth having.
   * Without a list there is not even the proxy.
   */
  network?: string[];
  timeoutMs: number;
  /** Bytes of output after which it is killed. */
  maxOutputBytes: number;
  /** Bytes of output that are kept: half from the head, half from the tail. */
  keepBytes?: number;
  /** Receives raw standard output instead of `output` (standard error still goes there). */
  stdout?: Writable;
  signal?: AbortSignal;
}

/** How a command in the sandbox ended. It never throws for a failing command. */
export interface CommandResult {
  exitCode: number | null;
  stopped: Stopped;
  /** Standard output and error in the order they came, cut at head and tail with a notice. */
  output: string;
  durationMs: number;
  /** Hosts its programs asked for and were refused, as `host:port`, in order, at most 20. */
  deniedHosts: string[];
}

/**
 * Whether the boundary holds, or what to do. `passing`: it could not be told, for the machine was too busy.
 */
export type Boundary = { ok: true } | { ok: false; remedy: string; passing?: true };

/** Whether jobs may be begun where the boundary was seen so. */
export function canRun(boundary: Boundary): boolean {
  return boundary.ok || boundary.passing === true;
}

/** The OS boundary in which every command of a job runs. */
export interface Sandbox {
  /** Proves that the boundary holds here, or says what to do; the answer is kept for a minute. */
  check(): Promise<Boundary>;
  /** Why no job should begin now, in words for the operator; null when the machine has room for one. */
  room(): Promise<string | null>;
  run(command: SandboxCommand): Promise<CommandResult>;
}
