import { randomBytes } from "node:crypto";
import { chmod, chown, lstat, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import { SandboxManager, type SandboxRuntimeConfig } from "@anthropic-ai/sandbox-runtime";
import { UserError } from "../../core/errors.ts";
import type { SandboxCommand, Workspace } from "../../core/ports.ts";
import { type Narrowing, narrow } from "./bwrap.ts";
import { systemCallFilter } from "./filter.ts";
import { HOSTNAME, hand } from "./handed.ts";
import { placeFile, placePrograms } from "./place-programs.ts";
import { ENTRY } from "./prelude.ts";
import { contains, type Programs, type SandboxUser, type Toolchain } from "./toolchain.ts";

/** What the boundary is made of on this machine. */
interface BoundaryOptions {
  user: SandboxUser | null;
  hidden: string[];
  runtimeDir: string;
  toolchain: Toolchain;
  programs: Programs;
}

/** A command prepared to run inside the boundary; `release` belongs after its end. */
interface Prepared {
  argv: string[];
  release(): void;
}

/** Turns commands into argument vectors that run inside the boundary. */
export interface Boundary {
  prepare(command: SandboxCommand): Promise<Prepared>;
  close(): Promise<void>;
}

/** Ranges no allowed name may resolve to, besides loopback, link-local and metadata addresses, which srt refuses. */
const PRIVATE_RANGES = [
  ...["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "192.0.0.0/24"],
  ...["198.18.0.0/15", "240.0.0.0/4", "fc00::/7", "fec0::/10"],
];

/** Everything on Linux; on macOS programs cannot start without the system's own directories. */
const DENIED =
  process.platform === "linux"
    ? ["/", "/sys"]
    : [
        "/Users",
        "/Volumes",
        "/Network",
        "/private/tmp",
        "/private/var/folders",
        "/private/var/root",
      ];

/** A name, never a pattern, and at least one dot: no address, no localhost. */
const DOMAIN = /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/i;

const literal = (name: string) => ({ path: name, literal: true as const });

/** Prepares srt for this process: one boundary at a time. Its proxy starts with the first command that has network. */
export async function createBoundary(options: BoundaryOptions): Promise<Boundary> {
  const { programs, user } = options;
  const helper = await placePrograms(options.runtimeDir);
  const calls = process.platform === "linux" ? systemCallFilter(process.arch) : null;
  const filter = calls && (await placeFile(options.runtimeDir, "calls.bpf", calls, 0o644));
  const root = await shownRoot(options.toolchain.readable);
  const config: SandboxRuntimeConfig = {
    network: { allowedDomains: [], deniedDomains: [], deniedResolvedAddresses: PRIVATE_RANGES },
    filesystem: { denyRead: DENIED, allowRead: [], allowWrite: [], denyWrite: [] },
    // srt scans the server's own directory for files to protect in it; no workspace contains that.
    ripgrep: { command: "true" },
    seccomp: { applyPath: helper.seccomp },
    javaAgentJarPath: helper.jar,
    credentials: {
      // srt lets every sandbox write here, which would join the jobs.
      files: ["/tmp/claude", "/private/tmp/claude"].map((file) => ({ path: file, mode: "deny" })),
      envVars: [{ name: "JAVA_TOOL_OPTIONS", mode: "deny" }],
    },
    ...(programs.bwrap ? { bwrapPath: programs.bwrap } : {}),
    ...(programs.socat ? { socatPath: programs.socat } : {}),
  };
  SandboxManager.updateConfig(config);

  let proxy: Promise<void> | null = null;
  const startProxy = async () => {
    await SandboxManager.initialize(config);
    const socket = SandboxManager.getLinuxHttpSocketPath();
    if (user === null || socket === undefined) return;
    // Every workspace has a uid of its own and this group.
    await chown(socket, user.uid, user.gid);
    await chmod(socket, 0o660);
  };

  const rules = async (workspace: Workspace) => ({
    denyRead: [...DENIED, ...options.hidden.map(literal)],
    allowRead: [...options.toolchain.readable, ...workspace.readable, helper.seccomp].map(literal),
    allowWrite: workspace.writable.map(literal),
    denyWrite: (await pointer(workspace)).map(literal),
  });

  return {
    async prepare(command) {
      const { workspace } = command;
      const domains = command.network ?? [];
      await requireSound(workspace, [...options.hidden, options.runtimeDir]);
      const id = randomBytes(24).toString("base64url");
      if (domains.length > 0) {
        const allowedDomains = entries(domains);
        proxy ??= startProxy();
        await proxy.catch((error: unknown) => {
          proxy = null;
          throw error;
        });
        SandboxManager.registerCommandNetworkLists(id, { allowedDomains });
      }
      try {
        const line = await SandboxManager.wrapWithSandbox(
          ENTRY,
          programs.bash,
          { filesystem: await rules(workspace) },
          undefined,
          { commandId: id },
        );
        const handed = hand({
          bash: programs.bash,
          filter,
          user: { uid: workspace.uid ?? user?.uid ?? ownId("uid"), gid: user?.gid ?? ownId("gid") },
          home: workspace.home,
        });
        return {
          argv: programs.bwrap
            ? handed.open(
                narrow(line, {
                  bwrap: programs.bwrap,
                  root,
                  hostname: HOSTNAME,
                  files: handed.files,
                  filter: handed.filter,
                  tmp: ownTmp(workspace, [options.runtimeDir, ...options.toolchain.readable]),
                  socket: SandboxManager.getLinuxHttpSocketPath() ?? null,
                  network: domains.length > 0,
                }),
              )
            : [programs.bash, "-c", line],
          release() {
            SandboxManager.unregisterCommandNetworkLists(id);
            SandboxManager.cleanupAfterCommand();
          },
        };
      } catch (error) {
        SandboxManager.unregisterCommandNetworkLists(id);
        throw error;
      }
    },
    close: () => SandboxManager.reset(),
  };
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

/** List entries for the proxy: names only, web ports only. Throws UserError for anything else. */
function entries(domains: string[]): string[] {
  return domains.flatMap((domain) => {
    if (!DOMAIN.test(domain) || /(^|\.)localhost$/i.test(domain)) {
      throw new UserError(`${JSON.stringify(domain)} is not a domain the sandbox can be given`);
    }
    return [`${domain}:443`, `${domain}:80`];
  });
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
