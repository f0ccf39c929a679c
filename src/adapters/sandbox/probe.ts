import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { TransientError } from "../../core/errors.ts";
import type { CommandResult, SandboxCommand, Workspace } from "../../core/ports.ts";
import { isAlive } from "./is-alive.ts";
import type { SandboxUser } from "./toolchain.ts";

/** Tries to get out, with little more than bash; says a word for each thing that worked. */
const SCRIPT = `
echo "uid=$EUID"
(exec 3<"$1") 2>/dev/null && echo read
(: >"$2") 2>/dev/null && echo write
(exec 3<>"/dev/tcp/127.0.0.1/$3") 2>/dev/null && echo network
unshare -U true 2>/dev/null && echo userns
(: >"$HOME/x" && : >"$TMPDIR/x" && : >x) 2>/dev/null || echo unwritable
if [ -r /proc/self/status ]; then
  while read -r name value; do
    case "$name" in Cap[IPEA]*|NoNewPrivs:|Seccomp:|Seccomp_filters:) echo "$name$value" ;; esac
  done </proc/self/status
fi
`;

/** How long the command may take. */
const LONGEST_MS = 20_000;

const HOLES: Record<string, string> = {
  read: "a command in it could read a private file",
  write: "a command in it could write outside its workspace",
  network: "a command in it could reach the network",
  userns: "a command in it could make a namespace of its own",
  unwritable: "a command in it cannot write its own workspace",
};

/**
 * Runs a command that tries what must not work. Returns what did work, in words; an empty list when
 * the boundary holds. Throws when it does not start, and TransientError when it takes too long to tell.
 */
export async function probe(options: {
  runtimeDir: string;
  user: SandboxUser | null;
  run(command: SandboxCommand): Promise<CommandResult>;
}): Promise<string[]> {
  await mkdir(options.runtimeDir, { recursive: true, mode: 0o755 });
  await sweep(options.runtimeDir);
  const dir = await mkdtemp(path.join(options.runtimeDir, `probe-${process.pid}-`));
  const listener = createServer((socket) => socket.destroy());
  try {
    await chmod(dir, 0o755);
    const canary = path.join(dir, "canary");
    const outside = path.join(dir, "outside");
    await writeFile(canary, "canary\n", { mode: 0o644 });
    await mkdir(outside);
    await chmod(outside, 0o777);
    const workspace = await makeWorkspace(dir, options.user);
    const port = await new Promise<number>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(0, "127.0.0.1", () => {
        const address = listener.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const result = await options.run({
      workspace,
      script: SCRIPT,
      args: [canary, path.join(outside, "x"), String(port)],
      timeoutMs: LONGEST_MS,
      maxOutputBytes: 10_000,
    });
    const said = result.output.trim().split("\n");
    const holes = said.flatMap((word) => HOLES[word] ?? []);
    if (result.stopped === "timeout" && holes.length === 0) {
      throw new TransientError(
        `a small command in the sandbox did not end within ${LONGEST_MS / 1000} s: the machine is too busy`,
      );
    }
    if (result.stopped !== null || result.exitCode !== 0) {
      holes.push(
        `a small command ended with ${result.stopped ?? `exit code ${result.exitCode}`}: ${result.output.slice(0, 200)}`,
      );
    }
    if (!said.some((word) => /^uid=[1-9]\d*$/.test(word))) holes.push("commands in it run as root");
    if (process.platform === "linux") {
      if (!said.includes("Seccomp:2")) holes.push("its system call filter is not in force");
      // srt's two and ours; kernels before 5.9 do not count them.
      const filters =
        said.find((line) => line.startsWith("Seccomp_filters:"))?.split(":")[1] ?? "3";
      if (Number(filters) < 3) holes.push("its own system call filter is missing");
      const capabilities = said.filter((line) => line.startsWith("Cap"));
      if (capabilities.length < 4 || capabilities.some((line) => !/:0+$/.test(line)))
        holes.push("commands in it have capabilities");
      if (!said.includes("NoNewPrivs:1")) holes.push("commands in it can gain privileges");
    }
    return holes;
  } finally {
    listener.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Removes what servers left that were killed while they tried. */
async function sweep(runtimeDir: string): Promise<void> {
  for (const name of await readdir(runtimeDir)) {
    if (!name.startsWith("probe-")) continue;
    const left = path.join(runtimeDir, name);
    const [, pid] = /^probe-(\d+)-/.exec(name) ?? [];
    const since = (await stat(left).catch(() => null))?.mtimeMs ?? 0;
    // In a container each server has the number of the one before.
    const old = Date.now() - since > 3 * LONGEST_MS;
    if (old || (pid && !isAlive(Number(pid)))) await rm(left, { recursive: true, force: true });
  }
}

async function makeWorkspace(dir: string, user: SandboxUser | null): Promise<Workspace> {
  const place = async (name: string): Promise<string> => {
    const made = path.join(dir, name);
    await mkdir(made, { mode: 0o700 });
    if (user !== null) await chown(made, user.uid, user.gid);
    return made;
  };
  const [tree, home, tmp] = [await place("tree"), await place("home"), await place("tmp")];
  const writable = [tree, home, tmp];
  return { jobId: "probe", tree, writable, readable: [], home, tmp, uid: user?.uid ?? null };
}
