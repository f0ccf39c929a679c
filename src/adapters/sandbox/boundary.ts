import { spawnSync } from "node:child_process";
import { lstat, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import { SandboxManager, type SandboxRuntimeConfig } from "@anthropic-ai/sandbox-runtime";
import { domainProblem, isBounded } from "../../core/domains.ts";
import { UserError } from "../../core/errors.ts";
import type { SandboxCommand, Workspace } from "../../core/ports.ts";
import { type Narrowing, narrow } from "./bwrap.ts";
import { systemCallFilter } from "./filter.ts";
import { HOSTNAME, hand } from "./handed.ts";
import type { Internet } from "./network/internet.ts";
import { createPortProxy, createSocketProxy, type OpenOutlet } from "./network/proxy.ts";
import { proxyVariables } from "./network/variables.ts";
import { placeFile, placeHelper } from "./place-programs.ts";
import { ENTRY } from "./prelude.ts";
import {
  CONFIGURATION,
  contains,
  type Programs,
  type SandboxUser,
  type Toolchain,
} from "./toolchain.ts";

/** What the boundary is made of on this machine. */
interface BoundaryOptions {
  user: SandboxUser | null;
  hidden: string[];
  runtimeDir: string;
  toolchain: Toolchain;
  programs: Programs;
  /** Domains of which a command may be given some; null: any. */
  network: readonly string[] | null;
  internet: Internet;
}

/** A command prepared to run inside the boundary; `release` belongs after its end. */
interface Prepared {
  argv: string[];
  /** Variables that lead programs to the proxy. */
  environment: Record<string, string>;
  /** Gives up what the command had, once; the hosts that were refused to it. */
  release(): Promise<string[]>;
}

/** Turns commands into argument vectors that run inside the boundary. */
export interface Boundary {
  prepare(command: SandboxCommand): Promise<Prepared>;
  close(): Promise<void>;
}

/** Everything on Linux; on macOS programs cannot start without the system's own directories. */
const DENIED =
  process.platform === "linux"
    ? ["/", "/sys", ...CONFIGURATION]
    : [
        "/Users",
        "/Volumes",
        "/Network",
        "/private/tmp",
        "/private/var/folders",
        "/private/var/root",
      ];

const literal = (name: string) => ({ path: name, literal: true as const });

/** Prepares srt for this process: one boundary at a time. The proxy starts with the first command that may ask it. */
export async function createBoundary(options: BoundaryOptions): Promise<Boundary> {
  const { programs, user } = options;
  const helper = await placeHelper(options.runtimeDir);
  const calls = process.platform === "linux" ? systemCallFilter(process.arch) : null;
  const filter = calls && (await placeFile(options.runtimeDir, "calls.bpf", calls, 0o644));
  const sizes = programs.bwrap !== null && takesSizes(programs.bwrap);
  const root = await shownRoot(options.toolchain.readable);
  const config: SandboxRuntimeConfig = {
    // Nothing of srt's own network: who may go where is judged by our proxy.
    network: { allowedDomains: [], deniedDomains: [] },
    filesystem: { denyRead: DENIED, allowRead: [], allowWrite: [], denyWrite: [] },
    // srt scans the server's own directory for files to protect in it; no workspace contains that.
    ripgrep: { command: "true" },
    seccomp: { applyPath: helper },
    credentials: {
      // srt lets every sandbox write here, which would join the jobs.
      files: ["/tmp/claude", "/private/tmp/claude"].map((file) => ({ path: file, mode: "deny" })),
      envVars: [{ name: "JAVA_TOOL_OPTIONS", mode: "deny" }],
    },
    ...(programs.bwrap ? { bwrapPath: programs.bwrap } : {}),
    ...(programs.socat ? { socatPath: programs.socat } : {}),
  };
  SandboxManager.updateConfig(config);

  const startProxy = async () => {
    if (process.platform === "linux") {
      return createSocketProxy(options.runtimeDir, options.internet);
    }
    const shared = await createPortProxy(options.internet);
    const { port } = shared;
    const network = { ...config.network, httpProxyPort: port, socksProxyPort: port };
    await SandboxManager.initialize({ ...config, network });
    return shared;
  };
  let proxy: ReturnType<typeof startProxy> | null = null;

  async function openOutlet(command: SandboxCommand): Promise<OpenOutlet | null> {
    if (command.network === undefined) return null;
    for (const domain of command.network) {
      const problem = domainProblem(domain);
      if (problem !== null) throw new UserError(`${JSON.stringify(domain)} ${problem}`);
    }
    proxy ??= startProxy();
    const { open } = await proxy.catch((error: unknown) => {
      proxy = null;
      throw error;
    });
    const allowed = command.network.filter((domain) => isBounded(domain, options.network));
    const uid = command.workspace.uid ?? user?.uid;
    return open(allowed, user && { uid: uid ?? user.uid, gid: user.gid });
  }

  const rules = async (workspace: Workspace) => ({
    denyRead: [...DENIED, ...options.hidden.map(literal)],
    allowRead: [...options.toolchain.readable, ...workspace.readable, helper].map(literal),
    allowWrite: workspace.writable.map(literal),
    denyWrite: (await pointer(workspace)).map(literal),
  });

  return {
    async prepare(command) {
      const { workspace } = command;
      await requireSound(workspace, [...options.hidden, options.runtimeDir]);
      const filesystem = await rules(workspace);
      const outlet = await openOutlet(command);
      let wrapped = false;
      let released: Promise<string[]> | null = null;
      const release = () => {
        if (released === null && wrapped) SandboxManager.cleanupAfterCommand();
        released ??= outlet?.close() ?? Promise.resolve([]);
        return released;
      };
      try {
        const line = await SandboxManager.wrapWithSandbox(ENTRY, programs.bash, { filesystem });
        wrapped = true;
        const handed = hand({
          bash: programs.bash,
          filter,
          user: { uid: workspace.uid ?? user?.uid ?? ownId("uid"), gid: user?.gid ?? ownId("gid") },
          home: workspace.home,
        });
        const { bash, bwrap, socat } = programs;
        const argv = bwrap
          ? handed.open(
              narrow(line, {
                bwrap,
                root,
                hostname: HOSTNAME,
                files: handed.files,
                filter: handed.filter,
                tmp: ownTmp(workspace, [options.runtimeDir, ...options.toolchain.readable]),
                shm: workspace.tmp,
                sizes,
                relay: outlet?.socket && socat ? { socket: outlet.socket, bash, socat } : null,
              }),
            )
          : [bash, "-c", line];
        const hasNetwork = (command.network ?? []).length > 0;
        const environment = outlet === null ? {} : proxyVariables(outlet.url, hasNetwork);
        return { argv, environment, release };
      } catch (error) {
        await release();
        throw error;
      }
    },
    async close() {
      await (await proxy)?.close();
      await SandboxManager.reset();
    },
  };
}

/** Whether a bubblewrap knows `--size`. */
function takesSizes(bwrap: string): boolean {
  return spawnSync(bwrap, ["--help"], { encoding: "utf8" }).stdout?.includes("--size ") ?? false;
}

/** What of the host's `/` commands see: of the system's own directories, those that lie right there. */
async function shownRoot(readable: string[]): Promise<Narrowing["root"]> {
  const root: Narrowing["root"] = { dirs: [], links: [] };
  for (const name of readable.filter((each) => path.dirname(each) === "/")) {
    if ((await lstat(name)).isSymbolicLink()) {
      root.links.push({ name, target: await readlink(name) });
    } else root.dirs.push(name);
  }
  return root;
}

function ownId(kind: "uid" | "gid"): number {
  return (kind === "uid" ? process.getuid : process.getgid)?.() ?? 65534;
}

/**
 * Throws when the paths of a workspace would not mean inside what they mean outside, or would open
 * what must stay closed.
 */
async function requireSound(workspace: Workspace, closed: string[]): Promise<void> {
  for (const dir of [...workspace.writable, ...workspace.readable]) {
    const real = await realpath(dir);
    if (real !== dir) throw new Error(`${dir} of a workspace goes through a link to ${real}`);
    const opened = closed.find((each) => contains(dir, each));
    if (opened) throw new Error(`${dir} of a workspace holds ${opened}, which stays closed`);
  }
  const below = [...workspace.writable, ...workspace.readable].find((dir) =>
    workspace.writable.some((other) => other !== dir && contains(other, dir)),
  );
  // A mount point in a directory that the job writes could be replaced by a link before the mount.
  if (below) throw new Error(`${below} of a workspace lies below another directory that it writes`);
  if (!workspace.writable.some((dir) => contains(dir, workspace.tree))) {
    throw new Error(`the tree ${workspace.tree} is not among the writable directories`);
  }
}

/** The `.git` file of a worktree: read-only, so that the tree keeps pointing where we made it point. */
async function pointer(workspace: Workspace): Promise<string[]> {
  const file = path.join(workspace.tree, ".git");
  const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return found?.isFile() ? [file] : [];
}

/**
 * The job's own directory to stand at `/tmp`, so that files there live as long as the job. Null when
 * something the sandbox needs lies below `/tmp` itself: inside a directory the job writes, the job
 * could move it. Then `/tmp` is empty memory for each command.
 */
function ownTmp(workspace: Workspace, shared: string[]): string | null {
  const inside = [...workspace.writable, ...workspace.readable, ...shared];
  return inside.some((dir) => contains("/tmp", dir)) ? null : workspace.tmp;
}
