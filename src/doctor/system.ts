import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { amiss, type Finding, fine, isAtLeast } from "../core/doctor/finding.ts";
import { toError } from "../core/errors.ts";
import {
  type HostProgram,
  missingRemedy,
  SANDBOX_SYSCTLS,
  type SandboxHost,
} from "../core/sandbox-remedy.ts";

const NODE = "24.0.0";
/** `git merge-tree --write-tree` came with it. */
const GIT = "2.38.0";
/** How long a program may take to say its version. */
const PATIENCE_MS = 10_000;
/** Arguments by which a program says its version, and the oldest that is enough. */
const PROGRAMS: { name: HostProgram; version: string[] | null; least: string | null }[] = [
  { name: "git", version: ["--version"], least: GIT },
  { name: "bwrap", version: ["--version"], least: "0.4.0" },
  { name: "socat", version: ["-V"], least: null },
  { name: "which", version: null, least: null },
];

/** Whether Node, the system and its programs are what the server needs. */
export function systemFindings(host: SandboxHost): Finding[] {
  const { platform, arch } = process;
  const node = process.versions.node;
  const said = `Node ${node} on ${platform} ${arch}`;
  const runtime = isAtLeast(node, NODE)
    ? fine("runtime", said)
    : amiss("fail", "runtime", said, `Draftsmith needs Node ${NODE.split(".")[0]} or later.`);
  const system =
    platform === "linux" || platform === "darwin"
      ? []
      : [amiss("fail", "system", platform, "Run it on Linux or macOS.")];
  const needed = PROGRAMS.filter(({ name }) => platform === "linux" || name === "git");
  return [
    runtime,
    ...system,
    ...needed.map((each) => programFinding(each, host)),
    ...namespaces(host),
  ];
}

function programFinding(
  { name, version, least }: (typeof PROGRAMS)[number],
  host: SandboxHost,
): Finding {
  const found = spawnSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" });
  if (found.status !== 0) {
    return amiss("fail", name, "is not there", missingRemedy([name], host));
  }
  if (version === null) return fine(name, found.stdout.trim());
  const { stdout } = spawnSync(name, version, { encoding: "utf8", timeout: PATIENCE_MS });
  const number = /\d+(?:\.\d+)+/.exec(stdout ?? "")?.[0];
  if (number === undefined) return amiss("warn", name, "does not tell its version", null);
  if (least === null || isAtLeast(number, least)) return fine(name, number);
  return amiss("fail", name, number, `Draftsmith needs ${name} ${least} or later: upgrade it.`);
}

/** Kernel settings about namespaces; whether they let the sandbox be built is for the boundary's own test to say. */
function namespaces({ sysctls }: SandboxHost): Finding[] {
  if (process.platform !== "linux") return [];
  const set = SANDBOX_SYSCTLS.filter((name) => sysctls[name] !== undefined);
  const text = set.map((name) => `${name} = ${sysctls[name]}`).join(", ");
  return [fine("user namespaces", text === "" ? "nothing forbids them" : text)];
}

/** Whether the server can use its data directory, for whoever asks; nothing is made or changed. */
export function dataDirFindings(dataDir: string, uid: number | undefined): Finding[] {
  const about = "DATA_DIR";
  const there = existsSync(dataDir);
  const obstacle = there ? null : obstacleAt(dataDir);
  if (obstacle !== null) return [amiss("fail", about, obstacle, "Choose another directory.")];
  const standing = there ? dataDir : nearest(path.dirname(dataDir));
  const stat = statSync(standing);
  if (!stat.isDirectory()) {
    return [amiss("fail", about, `${standing} is no directory`, "Choose another directory.")];
  }
  if (there && uid !== undefined && stat.uid !== uid) {
    const said = `${dataDir} belongs to uid ${stat.uid}, and this is uid ${uid}`;
    return [
      amiss("warn", about, said, "Run the doctor as the user that runs the server."),
      ...paused(dataDir),
    ];
  }
  try {
    accessSync(standing, constants.W_OK | constants.X_OK);
  } catch (thrown) {
    const said = `${dataDir} cannot be ${there ? "written" : "made"}: ${toError(thrown).message}`;
    return [amiss("fail", about, said, "Choose a directory that this user may write.")];
  }
  return [fine(about, there ? dataDir : `${dataDir} will be made`), ...paused(dataDir)];
}

/** The nearest directory above that exists. */
export function nearest(dir: string): string {
  return existsSync(dir) || path.dirname(dir) === dir ? dir : nearest(path.dirname(dir));
}

/** What keeps a directory from being made that is not there yet; null when nothing does. */
function obstacleAt(dir: string): string | null {
  try {
    const link = lstatSync(dir, { throwIfNoEntry: false });
    return link === undefined ? null : `${dir} is a link that leads nowhere`;
  } catch (thrown) {
    return `${dir.slice(0, 200)} cannot be made: ${toError(thrown).message.slice(0, 200)}`;
  }
}

/** The operator's emergency stop, told as the server tells it. */
function paused(dataDir: string): Finding[] {
  const file = path.join(dataDir, "paused");
  if (!existsSync(file)) return [];
  return [amiss("warn", "paused", reasonIn(file), `To go on remove ${file}.`)];
}

function reasonIn(file: string): string {
  try {
    const words = readFileSync(file, "utf8").replace(/[\p{Cc}\s]+/gu, " ");
    return words.trim() || "no reason is given";
  } catch {
    return "no reason can be read";
  }
}
