import { randomBytes } from "node:crypto";
import path from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { toError, UserError } from "../core/errors.ts";
import type { CommandResult, Log, Sandbox, SandboxCommand } from "../core/ports.ts";
import { type HostProgram, missingRemedy, startRemedy } from "../core/sandbox-remedy.ts";
import { type Boundary, createBoundary } from "./sandbox/boundary.ts";
import { describeHost } from "./sandbox/host.ts";
import { launch, StartFailure } from "./sandbox/launch.ts";
import { prelude, SCRIPT, START } from "./sandbox/prelude.ts";
import { probe } from "./sandbox/probe.ts";
import {
  blockedAt,
  contains,
  findProgram,
  readToolchain,
  type SandboxUser,
} from "./sandbox/toolchain.ts";

/** How the sandbox is set up on this machine. All paths are absolute. */
export interface SandboxOptions {
  /** Who commands run as when the server is root; null when the server is an ordinary user already. */
  user: SandboxUser | null;
  /** Paths no command may read: data, home and the like. Workspaces below them stay visible to their job. */
  hidden: string[];
  /** PATH of commands. */
  toolPath: string;
  /** A directory the sandbox's uid can reach and no workspace holds; srt's helpers are copied there. */
  runtimeDir: string;
  log: Log;
}

type Verdict = Awaited<ReturnType<Sandbox["check"]>>;

const VERDICT_MS = 60_000;
const KEEP_BYTES = 32 * 1024;

/**
 * The sandbox of @anthropic-ai/sandbox-runtime. One per process, as its proxy and settings are global
 * there. `stop` ends what runs and releases them.
 */
export function createSandbox(options: SandboxOptions): Sandbox & { stop(): Promise<void> } {
  const { user, log } = options;
  const lifetime = new AbortController();
  const running = new Set<Promise<unknown>>();
  let boundary: Promise<Boundary> | null = null;
  let verdict: { answer: Promise<Verdict>; until: number } | null = null;

  const programs = {
    bash: findProgram("bash", options.toolPath) ?? "/bin/bash",
    env: findProgram("env", options.toolPath) ?? "/usr/bin/env",
    bwrap: process.platform === "linux" ? findProgram("bwrap", options.toolPath) : null,
    socat: process.platform === "linux" ? findProgram("socat", options.toolPath) : null,
  };
  const toolchain = readToolchain(options.toolPath, [...options.hidden, options.runtimeDir], user);
  for (const left of toolchain.left) log.warn(left, "commands do not see a directory of PATH");

  async function execute(command: SandboxCommand): Promise<CommandResult> {
    const job = start(command);
    running.add(job);
    try {
      return await job;
    } finally {
      running.delete(job);
    }
  }

  async function start(command: SandboxCommand): Promise<CommandResult> {
    const refused = refusal(command);
    if (refused !== null)
      return { exitCode: 126, stopped: null, output: `${refused}\n`, durationMs: 0 };
    const signal = AbortSignal.any([lifetime.signal, ...(command.signal ? [command.signal] : [])]);
    if (signal.aborted) return { exitCode: null, stopped: "cancelled", output: "", durationMs: 0 };
    boundary ??= createBoundary({ ...options, toolchain, programs });
    const ready = await boundary.catch((error: unknown) => {
      boundary = null;
      throw error;
    });
    const prepared = await ready.prepare(command);
    const marker = `[${randomBytes(12).toString("hex")}]\n`;
    const { workspace } = command;
    try {
      return await launch({
        bash: programs.bash,
        argv: prepared.argv,
        env: {
          [SCRIPT]: command.script,
          [START]: prelude({
            bash: programs.bash,
            env: programs.env,
            tree: workspace.tree,
            cwd: command.cwd,
            environment: {
              PATH: toolchain.path,
              HOME: workspace.home,
              TMPDIR: workspace.tmp,
              LANG: "C.UTF-8",
              CI: "1",
              TERM: "dumb",
              GIT_TERMINAL_PROMPT: "0",
              ...command.env,
            },
            args: command.args ?? [],
            network: (command.network ?? []).length > 0,
            marker,
          }),
        },
        user,
        stdin: command.stdin,
        stdout: command.stdout,
        marker,
        timeoutMs: command.timeoutMs,
        maxOutputBytes: command.maxOutputBytes,
        keepBytes: command.keepBytes ?? KEEP_BYTES,
        signal,
      });
    } catch (error) {
      // The kernel takes 128 KiB in one string; the message is the shell's own for that.
      if (codeOf(error) === "E2BIG") {
        return {
          exitCode: 126,
          stopped: null,
          output: "bash: Argument list too long\n",
          durationMs: 0,
        };
      }
      throw error;
    } finally {
      prepared.release();
    }
  }

  /** Looks whether the boundary holds; never throws. */
  async function assess(): Promise<Verdict> {
    const fault = impossible();
    if (fault !== null) return { ok: false, remedy: fault };
    try {
      const holes = await probe({ runtimeDir: options.runtimeDir, user, run: execute });
      if (holes.length === 0) return { ok: true };
      return {
        ok: false,
        remedy: `The sandbox does not hold on this machine: ${holes.join("; ")}. No job runs like this.`,
      };
    } catch (thrown) {
      const { message } = toError(thrown);
      if (thrown instanceof StartFailure) {
        return { ok: false, remedy: startRemedy(message, describeHost()) };
      }
      return { ok: false, remedy: `The sandbox could not be set up here: ${message}` };
    }
  }

  /** Why there is no point in trying, with the remedy; null when nothing is in the way. */
  function impossible(): string | null {
    if (!SandboxManager.isSupportedPlatform())
      return "The sandbox needs Linux (not WSL 1) or macOS.";
    if (process.getuid?.() === 0 && user === null) {
      return "The server runs as root and no uid is set for commands. Commands never run as root.";
    }
    if (process.platform !== "linux") return null;
    if (process.arch !== "x64" && process.arch !== "arm64") {
      return `The sandbox has no system call filter for ${process.arch}. Run the server on an x64 or arm64 machine.`;
    }
    const needed = {
      bwrap: programs.bwrap,
      socat: programs.socat,
      which: findProgram("which", options.toolPath),
    };
    const missing = (Object.keys(needed) as (keyof typeof needed)[]).filter(
      (name) => needed[name] === null,
    );
    return missing.length > 0
      ? missingRemedy(missing satisfies HostProgram[], describeHost())
      : unreachable();
  }

  function unreachable(): string | null {
    const blocked = blockedAt(path.dirname(options.runtimeDir), user);
    if (blocked === null) return null;
    return `Commands run as uid ${user?.uid}, which may not enter ${blocked}. Set DATA_DIR to a directory everyone can enter, such as /var/lib/draftsmith.`;
  }

  const sandbox = {
    check(): Promise<Verdict> {
      if (verdict === null || performance.now() > verdict.until) {
        const answer = assess();
        verdict = { answer, until: performance.now() + VERDICT_MS };
        answer.then((said) => {
          if (!said.ok) log.warn({ remedy: said.remedy }, "the sandbox does not work here");
        });
      }
      return verdict.answer;
    },
    async run(command: SandboxCommand): Promise<CommandResult> {
      const said = await sandbox.check();
      if (!said.ok) throw new UserError(said.remedy);
      try {
        return await execute(command);
      } catch (error) {
        // What stopped this one may stop the next: look again before it.
        if (error instanceof StartFailure) verdict = null;
        throw error;
      }
    },
    async stop(): Promise<void> {
      lifetime.abort();
      await Promise.allSettled(running);
      await (await boundary)?.close();
    },
  };
  return sandbox;
}

/** Why a command cannot be run at all; null when it can. */
function refusal(command: SandboxCommand): string | null {
  const { tree } = command.workspace;
  const texts = [
    command.script,
    command.cwd ?? "",
    ...(command.args ?? []),
    ...Object.values(command.env ?? {}),
  ];
  if (texts.some((text) => text.includes("\0"))) return "a command cannot hold a NUL character";
  for (const name of Object.keys(command.env ?? {})) {
    if (!/^[A-Za-z_]\w*$/.test(name)) return `not a name of a variable: ${JSON.stringify(name)}`;
  }
  if (!contains(tree, path.resolve(tree, command.cwd ?? ".")))
    return `outside the worktree: ${command.cwd}`;
  return null;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
