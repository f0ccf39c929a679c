import { spawn } from "node:child_process";

/** What directories take of a disk. */
export interface DiskUse {
  bytes: number;
  /** Names of files, directories and links; 0 where this system's programs do not count them. */
  files: number;
  /** False when the count was given up because it was above `enough` already, or took too long. */
  whole: boolean;
  /** Whether there were directories that may not be read, with more in them. */
  closed: boolean;
}

/** A walk through more than this is given up; the next one may find a warmer cache. */
const PATIENCE_MS = 60_000;
/** Beyond this many files with several names the bytes of each name count. */
const MAX_LINKED = 1_000_000;

/**
 * Blocks of each file in 512 bytes; with the number of the inode where a file has several names. `find`
 * descends by descriptors, follows no link, and opens nothing but directories: neither depth nor length
 * of paths, names of any bytes, pipes or renames in mid-walk stop it.
 */
const PRINT = [
  ...["-xdev", "(", "-type", "d", "-o", "-links", "1", ")", "-printf", "%b\\n"],
  ...["-o", "-printf", "%b %i\\n"],
];

/**
 * Adds up what stands below directories, until that is more than `enough`. Never throws for what it
 * cannot read or what vanishes meanwhile.
 */
export async function measureDisk(
  dirs: string[],
  enough: { bytes: number; files: number },
): Promise<DiskUse> {
  const found = await walk(dirs, enough);
  return found ?? (await sumUp(dirs));
}

/** By GNU find; null where find is another one. */
function walk(dirs: string[], enough: { bytes: number; files: number }): Promise<DiskUse | null> {
  const use: DiskUse = { bytes: 0, files: 0, whole: true, closed: false };
  const linked = new Set<string>();
  let rest = "";
  const { promise, resolve, reject } = Promise.withResolvers<DiskUse | null>();
  const child = spawn("find", [...dirs, ...PRINT], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin:/run/current-system/sw/bin", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const giveUp = () => {
    use.whole = false;
    child.kill("SIGKILL");
  };
  const timer = setTimeout(giveUp, PATIENCE_MS);
  child.stderr.setEncoding("latin1").on("data", (text: string) => {
    said = (said + text).slice(0, 1000);
  });
  child.stdout.setEncoding("latin1").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [blocks, inode] = line.split(" ");
      // Each name counts: to walk through them takes its time. What they share counts once.
      use.files += 1;
      if (inode !== undefined && linked.has(inode)) continue;
      if (inode !== undefined && linked.size < MAX_LINKED) linked.add(inode);
      use.bytes += Number(blocks) * 512;
    }
    if (use.whole && (use.bytes > enough.bytes || use.files > enough.files)) giveUp();
  });
  child.once("error", (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    if (error.code === "ENOENT") resolve(null);
    else reject(error);
  });
  child.once("close", () => {
    clearTimeout(timer);
    use.closed = /Permission denied/.test(said);
    resolve(/-printf|unrecognized|unknown primary/.test(said) && use.files === 0 ? null : use);
  });
  return promise;
}

/** Opens directories that their owner closed to itself, so that what is in them can be counted and removed. */
export function openClosed(dirs: string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn("chmod", ["-R", "u+rwX", "--", ...dirs], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    stdio: "ignore",
    timeout: PATIENCE_MS,
  });
  child.once("error", reject);
  child.once("close", () => resolve());
  return promise;
}

/** By du, which every system has: bytes only. */
function sumUp(dirs: string[]): Promise<DiskUse> {
  const { promise, resolve, reject } = Promise.withResolvers<DiskUse>();
  const child = spawn("du", ["-skx", ...dirs], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  child.stdout.setEncoding("latin1").on("data", (more: string) => {
    text += more;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  child.once("error", reject);
  child.once("close", (code) => {
    clearTimeout(timer);
    const sizes = [...text.matchAll(/^(\d+)\t/gm)].map((match) => Number(match[1]) * 1024);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    resolve({ bytes, files: 0, whole: code !== null, closed: false });
  });
  return promise;
}
