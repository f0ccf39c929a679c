import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import path from "node:path";

/** The uid and gid that sandboxed commands run as. */
export interface SandboxUser {
  uid: number;
  gid: number;
}

/** What the sandbox sees of the system. */
export interface Toolchain {
  /** PATH of commands: the directories that can be reached, links resolved. */
  path: string;
  readable: string[];
  /** Directories of the given PATH that commands do not see, with the reason. */
  left: { dir: string; reason: string }[];
}

const SYSTEM = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/nix/store",
  "/gnu/store",
];

/** Of /etc only what programs need to run: what may hold passwords stays out, and each entry costs time. */
const ETC = [
  ...["alternatives", "crypto-policies", "fonts", "ld.so.cache", "localtime"],
  ...[
    "java",
    "java-8-openjdk",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "java-25-openjdk",
  ],
  ...["maven/m2.conf", "nsswitch.conf", "pki/ca-trust/extracted", "pki/java", "pki/tls/cert.pem"],
  ...["pki/tls/certs", "pki/tls/openssl.cnf", "protocols", "services", "ssl/cert.pem", "ssl/certs"],
  ...["ssl/openssl.cnf"],
].map((name) => `/etc/${name}`);

/**
 * Configuration of programs below the system's own directories. It may hold passwords as that of `/etc`
 * does (npm's and git's hold tokens), so commands see of it only what runtimes load to run at all.
 */
export const CONFIGURATION = ["/usr/etc", "/usr/local/etc"].filter((each) => existsSync(each));
const LOADED = CONFIGURATION.flatMap((dir) =>
  ["ca-certificates", "fonts", "openssl", "openssl@3", "php", "ssl/cert.pem", "ssl/certs"].map(
    (name) => path.join(dir, name),
  ),
);

/** What a runtime keeps beside its bin directory. */
const BESIDE_BIN = ["lib", "lib64", "libexec", "include"];
/** What a JDK keeps there besides; another program's conf may well hold passwords. */
const BESIDE_JDK = ["conf", "jmods"];

/**
 * The directories commands may read besides their workspace: the system's, and those of `toolPath`
 * even below a hidden one, but never a directory that holds one of `closed`.
 */
export function readToolchain(
  toolPath: string,
  closed: string[],
  user: SandboxUser | null,
): Toolchain {
  const left: Toolchain["left"] = [];
  const dirs = new Set<string>();
  const beside = new Set<string>();
  for (const entry of toolPath.split(":")) {
    if (!path.isAbsolute(entry) || !existsSync(entry)) continue;
    const dir = realpathSync(entry);
    const blocked = blockedAt(dir, user);
    if (closed.some((each) => contains(dir, each)))
      left.push({ dir: entry, reason: "it holds private files" });
    else if (blocked)
      left.push({ dir: entry, reason: `the sandbox's uid may not enter ${blocked}` });
    else dirs.add(dir);
  }
  for (const dir of dirs) {
    if (!/^s?bin$/.test(path.basename(dir)) || closed.includes(path.dirname(dir))) continue;
    const home = path.dirname(dir);
    const isJdk = statSync(path.join(home, "lib", "modules"), { throwIfNoEntry: false })?.isFile();
    for (const name of isJdk ? [...BESIDE_BIN, ...BESIDE_JDK] : BESIDE_BIN) {
      const sibling = path.join(home, name);
      if (existsSync(sibling) && !closed.some((each) => contains(realpathSync(sibling), each)))
        beside.add(sibling);
    }
  }
  const readable = [
    ...[...SYSTEM, ...ETC, ...LOADED].filter((each) => existsSync(each)),
    ...dirs,
    ...beside,
  ];
  return { path: [...dirs].join(":"), readable, left };
}

/** Absolute paths of the programs that build the boundary; null for what is not there. */
export interface Programs {
  bash: string;
  env: string;
  bwrap: string | null;
  socat: string | null;
  which: string | null;
}

/** Looks the programs up. bubblewrap and socat are for Linux; macOS has a sandbox of its own. */
export function findPrograms(toolPath: string): Programs {
  const linux = process.platform === "linux";
  return {
    bash: findProgram("bash", toolPath) ?? "/bin/bash",
    env: findProgram("env", toolPath) ?? "/usr/bin/env",
    bwrap: linux ? findProgram("bwrap", toolPath) : null,
    socat: linux ? findProgram("socat", toolPath) : null,
    which: findProgram("which", toolPath),
  };
}

/** The first program of this name: the system's own before those of `toolPath`. */
function findProgram(name: string, toolPath: string): string | null {
  const dirs = [
    "/usr/bin",
    "/bin",
    "/usr/local/bin",
    "/run/current-system/sw/bin",
    ...toolPath.split(":"),
  ];
  for (const dir of dirs.filter((each) => path.isAbsolute(each))) {
    const file = path.join(dir, name);
    if (existsSync(file) && allowed(file, null, constants.X_OK)) return file;
  }
  return null;
}

/** The first directory on the way to `target` that `user` may not enter; null when it can be reached. */
export function blockedAt(target: string, user: SandboxUser | null): string | null {
  const parts = target.split("/").filter((part) => part !== "");
  const ways = ["/", ...parts.map((_, at) => `/${parts.slice(0, at + 1).join("/")}`)];
  return ways.find((dir) => !allowed(dir, user, constants.X_OK)) ?? null;
}

/** Whether `inner` is `outer` or lies below it. */
export function contains(outer: string, inner: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === "" || (relative !== ".." && !relative.startsWith("../"));
}

/** Whether `user` has a right to `target`; what does not exist yet forbids nothing. */
function allowed(target: string, user: SandboxUser | null, right: number): boolean {
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined) return true;
  if (user !== null) {
    const shift = stat.uid === user.uid ? 6 : stat.gid === user.gid ? 3 : 0;
    return ((stat.mode >> shift) & right) === right;
  }
  try {
    accessSync(target, right);
    return true;
  } catch {
    return false;
  }
}
