import path from "node:path";
import { toError, UserError } from "../../core/errors.ts";
import { type Broken, type Holding, type Limits, MB } from "../../core/limits.ts";
import type { Log, Workspace } from "../../core/ports.ts";
import type { JobGroup, Opened } from "./cgroups.ts";
import { createWatchdog } from "./watchdog.ts";

/** A command under the bounds of its job; call `end` when its last process has ended. */
export interface Bounded {
  /** The bound it broke; null when it kept them all. */
  end(): Promise<Broken | null>;
}

/** Everything that bounds what jobs use of the machine. */
export interface Bounds {
  holding: Holding;
  /**
   * Shell lines that set the limits of a job's processes: before the sandbox is built, and inside it.
   * Throws UserError when the job may run nothing more.
   */
  lines(workspace: Workspace): Promise<{ outside: string[]; inside: string[] }>;
  /** Puts a process that has not begun under the bounds of its job. */
  admit(command: { workspace: Workspace; pid: number; stop(why: Broken): void }): Promise<Bounded>;
  /** Why no job should begin now; null when one can. */
  room(): Promise<string | null>;
  close(): Promise<void>;
}

/** Open files of one process. */
const OPEN_FILES = 8192;
/** Largest single file. */
const FILE_BYTES = 2048 * MB;
/** Where no control group bounds memory, a process may ask for this many times what its job may hold. */
const ASKED_PART = 2;

/** Bounds for the jobs of one server. `dir` lies on the disk of the workspaces. */
export function createBounds(options: {
  limits: Limits;
  groups: Opened;
  dir: string;
  log: Log;
}): Bounds {
  const { limits, groups, dir, log } = options;
  const watchdog = createWatchdog({ limits, dir, log });
  if (groups.groups === null) {
    log.warn({ reason: groups.reason }, "no control groups: the watchdog alone bounds memory");
  }

  async function join(jobId: string, pid: number): Promise<JobGroup | null> {
    if (groups.groups === null) return null;
    try {
      const group = await groups.groups.join(jobId);
      await group.add(pid);
      return group;
    } catch (thrown) {
      log.error({ err: toError(thrown), jobId }, "a command runs without its control group");
      return null;
    }
  }

  return {
    holding: { limits, groups: groups.groups, reason: groups.reason },
    room: watchdog.room,
    async lines(workspace) {
      const { refused, cpuMs } = await watchdog.standing(workspace);
      if (refused !== null) throw new UserError(refused);
      const seconds = Math.max(1, Math.ceil(cpuMs / 1000));
      const kilobytes = (bytes: number) => Math.floor(bytes / 1024);
      const outside = [
        `-n ${OPEN_FILES}`,
        `-f ${kilobytes(Math.min(FILE_BYTES, limits.disk))}`,
        `-t ${seconds}`,
      ];
      // Not of address space, of which Java, Go and WebAssembly reserve far more than they use.
      if (groups.groups === null) outside.push(`-d ${kilobytes(limits.memory * ASKED_PART)}`);
      return {
        outside: [
          ...outside.map((limit) => `ulimit ${limit} 2>/dev/null`),
          // The server keeps answering; what the job starts is as patient and cannot change it.
          "{ echo 10 >/proc/self/autogroup; } 2>/dev/null",
        ],
        // Inside, because there Linux counts the processes of each sandbox apart (since 5.14).
        inside: [`ulimit -u ${limits.processes} 2>/dev/null`],
      };
    },
    async admit({ workspace, pid, stop }) {
      const { jobId, tree } = workspace;
      const group = await join(jobId, pid);
      const dirs = workspace.writable.map((each) => path.resolve(each));
      const watched = await watchdog.watch({ jobId, tree, pid, dirs, group, stop });
      return {
        async end() {
          try {
            return await watched.end();
          } finally {
            await group?.release();
          }
        },
      };
    },
    async close() {
      watchdog.close();
      await groups.groups?.close();
    },
  };
}
