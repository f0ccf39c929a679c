import { chmod, chown, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInternet, type Internet } from "../../src/adapters/sandbox/network/internet.ts";
import { createSandbox } from "../../src/adapters/sandbox.ts";
import { type Limits, limitsOf } from "../../src/core/limits.ts";
import type { Workspace } from "../../src/core/ports.ts";
import { silentLog } from "./log.ts";

/** Who sandboxed commands of tests run as: a dedicated uid when the tests run as root. */
export const TEST_USER = process.getuid?.() === 0 ? { uid: 60801, gid: 60801 } : null;

const NOTHING_ASKED = { memoryMb: null, diskMb: null, cpuMinutes: null, freeMb: null };

/** The machine's own tools, without what npm puts before them: those may lie anywhere, below /tmp too. */
const TOOL_PATH = (process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin")
  .split(":")
  .filter((dir) => !dir.includes("node_modules"))
  .join(":");

/** A directory of one test that the sandbox's uid can enter, links resolved; `remove` takes it away. */
export async function makeRoot(
  parent = tmpdir(),
): Promise<{ root: string; remove(): Promise<void> }> {
  const root = await realpath(await mkdtemp(path.join(parent, "draftsmith-test-")));
  await chmod(root, 0o711);
  return { root, remove: () => rm(root, { recursive: true, force: true, maxRetries: 3 }) };
}

/** A workspace without git: empty directories below `root` that belong to the sandbox's uid. */
export async function makeWorkspace(root: string, jobId = "job"): Promise<Workspace> {
  const dir = path.join(root, "workspaces", jobId);
  await mkdir(dir, { recursive: true, mode: 0o711 });
  const place = async (name: string): Promise<string> => {
    const made = path.join(dir, name);
    await mkdir(made, { mode: 0o700 });
    if (TEST_USER !== null) await chown(made, TEST_USER.uid, TEST_USER.gid);
    return made;
  };
  const tree = await place("tree");
  const home = await place("home");
  const tmp = await place("tmp");
  const writable = [tree, home, tmp];
  return { jobId, tree, writable, readable: [], home, tmp, uid: TEST_USER?.uid ?? null };
}

/** The real sandbox, with `root` hidden as a data directory is. Stop it after the tests. */
export function makeSandbox(
  root: string,
  options: {
    toolPath?: string;
    hidden?: string[];
    network?: string[];
    internet?: Internet;
    limits?: Partial<Limits>;
    controlGroups?: boolean;
  } = {},
) {
  return createSandbox({
    user: TEST_USER,
    hidden: options.hidden ?? [root],
    toolPath: options.toolPath ?? TOOL_PATH,
    runtimeDir: path.join(root, "runtime"),
    network: options.network ?? null,
    internet: options.internet ?? createInternet(),
    limits: (machine) => ({ ...limitsOf(NOTHING_ASKED, machine, 4), ...options.limits }),
    ...(options.controlGroups === undefined ? {} : { controlGroups: options.controlGroups }),
    log: silentLog,
  });
}
