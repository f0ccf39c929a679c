import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { TransientError, UserError } from "../core/errors.ts";
import type { Holding, Limits, Machine } from "../core/limits.ts";
import type { CommandResult, Log, Sandbox, SandboxCommand } from "../core/ports.ts";
import { assess, type Verdict } from "./sandbox/assess.ts";
import { type Boundary, createBoundary } from "./sandbox/boundary.ts";
import { type Bounds, createBounds } from "./sandbox/bounds.ts";
import { openGroups } from "./sandbox/cgroups.ts";
import { launch, StartFailure } from "./sandbox/launch.ts";
import { describeMachine } from "./sandbox/machine.ts";
import type { Internet } from "./sandbox/network/internet.ts";
import { prelude, SCRIPT, START } from "./sandbox/prelude.ts";
import { contains, findPrograms, readToolchain, type SandboxUser } from "./sandbox/toolchain.ts";

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
  /** Domains of which repositories may allow some; null: any public one. */
  network: readonly string[] | null;
  internet: Internet;
  /** The bounds of jobs, for what the machine has. */
  limits: (machine: Machine) => Limits;
  /** False: do without control groups, as on a machine that has none for us. */
  controlGroups?: boolean;
  log: Log;
}

const NO_GROUPS = { groups: null, reason: "they are switched off" } as const;

const VERDICT_MS = 60_000;
const KEEP_BYTES = 32 * 1024;

const CANCELLED: CommandResult = {
  exitCode: null,
  stopped: "cancelled",
  output: "",
  durationMs: 0,
  deniedHosts: [],
};
/** What a shell answers when it finds a command and cannot run it. */
const refuse = (why: string): CommandResult => ({
  exitCode: 126,
  stopped: null,
  output: `${why}\n`,
  durationMs: 0,
  deniedHosts: [],
});

/**
 * The sandbox of @anthropic-ai/sandbox-runtime. One per process, as its proxy and settings are global
 * there. `stop` ends what runs and releases them.
 */
export function createSandbox(
  options: SandboxOptions,
): Sandbox & { bounds(): Promise<Holding>; stop(): Promise<void> } {
  const { user, log } = options;
  const lifetime = new AbortController();
  const running = new Set<Promise<unknown>>();
  let boundary: Promise<Boundary> | null = null;
  let bounds: Promise<Bounds> | null = null;
  let verdict: { answer: Promise<Verdict>; until: number } | null = null;

  let programs = findPrograms(options.toolPath);
  const toolchain = readToolchain(options.toolPath, [...options.hidden, options.runtimeDir], user);
  for (const left of toolchain.left) log.warn(left, "commands do not see a directory of PATH");

  function theBounds(): Promise<Bounds> {
    bounds ??= startBounds().catch((error: unknown) => {
      bounds = null;
      throw error;
    });
    return bounds;
  }

  async function startBounds(): Promise<Bounds> {
    await mkdir(options.runtimeDir, { recursive: true, mode: 0o755 });
    const limits = options.limits(await describeMachine(options.runtimeDir));
    const groups = options.controlGroups === false ? NO_GROUPS : await openGroups(limits);
    return createBounds({ limits, groups, dir: options.runtimeDir, log });
  }

  async function execute(command: SandboxCommand): Promise<CommandResult> {
    const job = start(command);
    running.add(job);
    try {
      const result = await job;
      command.stdout?.end();
      return result;
    } catch (error) {
      command.stdout?.destroy();
      throw error;
    } finally {
      running.delete(job);
    }
  }

  async function start(command: SandboxCommand): Promise<CommandResult> {
    const refused = refusal(command);
    if (refused !== null) return refuse(refused);
    const bound = await theBounds();
    const { outside, inside } = await bound.lines(command.workspace);
    const signal = AbortSignal.any([lifetime.signal, ...(command.signal ? [command.signal] : [])]);
    if (signal.aborted) return CANCELLED;
    boundary ??= createBoundary({ ...options, toolchain, programs });
    const ready = await boundary.catch((error: unknown) => {
      boundary = null;
      throw error;
    });
    const prepared = await ready.prepare(command);
    const marker = `[${randomBytes(12).toString("hex")}]\n`;
    const { workspace } = command;
    try {
      const ended = await launch({
        bash: programs.bash,
        argv: prepared.argv,
        env: {
          [SCRIPT]: command.script,
          [START]: `${inside.join("\n")}\n${prelude({
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
              ...prepared.environment,
              ...command.env,
            },
            args: command.args ?? [],
            marker,
          })}`,
        },
        user: user && { uid: workspace.uid ?? user.uid, gid: user.gid },
        stdin: command.stdin,
        stdout: command.stdout,
        marker,
        timeoutMs: command.timeoutMs,
        maxOutputBytes: command.maxOutputBytes,
        keepBytes: command.keepBytes ?? KEEP_BYTES,
        signal,
        limits: outside,
        admit: (pid, stop) => bound.admit({ workspace, pid, stop }),
      });
      return { ...ended, deniedHosts: await prepared.release() };
    } catch (error) {
      // The kernel takes 128 KiB in one string; the message is the shell's own for that.
      if (codeOf(error) === "E2BIG") return refuse("bash: Argument list too long");
      throw error;
    } finally {
      await prepared.release();
    }
  }

  const sandbox = {
    check(): Promise<Verdict> {
      if (verdict === null || performance.now() > verdict.until) {
        // Looked up again each time: they may have been installed meanwhile.
        programs = findPrograms(options.toolPath);
        const answer = assess({ ...options, programs, run: execute });
        verdict = { answer, until: performance.now() + VERDICT_MS };
        answer.then((said) => {
          if (said.ok) return;
          log.warn({ remedy: said.remedy }, "the sandbox does not work here");
          if (said.passing) verdict = null;
        });
      }
      return verdict.answer;
    },
    async run(command: SandboxCommand): Promise<CommandResult> {
      if (lifetime.signal.aborted) return CANCELLED;
      const said = await sandbox.check();
      if (!said.ok)
        throw said.passing ? new TransientError(said.remedy) : new UserError(said.remedy);
      try {
        return await execute(command);
      } catch (error) {
        // What stopped this one may stop the next: look again before it.
        if (!(error instanceof StartFailure)) throw error;
        verdict = null;
        throw new TransientError(error.message, { cause: error });
      }
    },
    bounds: async () => (await theBounds()).holding,
    async room(): Promise<string | null> {
      return (await theBounds()).room();
    },
    async stop(): Promise<void> {
      lifetime.abort();
      await Promise.allSettled(running);
      await (await boundary)?.close();
      await (await bounds)?.close();
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
