import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

/** How long a namespace may take to end before everything around it is killed, too. */
const WIDEN_MS = 1000;

/**
 * Kills a sandboxed process tree. On Linux the init of its PID namespace goes first: the kernel then
 * ends everything inside before bubblewrap, which waits for the init, can exit. So the exit of the
 * child means that nothing of the tree is left, however it detached itself.
 */
export function killTree(child: ChildProcess): void {
  if (child.pid === undefined || ended(child)) return;
  const inits = initsOf(child.pid);
  for (const pid of inits) kill(pid);
  if (inits.length === 0) kill(-child.pid);
  else {
    setTimeout(() => {
      if (child.pid !== undefined && !ended(child)) kill(-child.pid);
    }, WIDEN_MS).unref();
  }
}

/** Kills what is left of the child's process group after its end, on systems without PID namespaces. */
export function endGroup(child: ChildProcess): void {
  if (child.pid !== undefined && process.platform !== "linux") kill(-child.pid);
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Inits of the namespaces a bubblewrap process made; none where the kernel does not tell, or not yet. */
function initsOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children
      .split(" ")
      .filter(
        (each) => each !== "" && readFileSync(`/proc/${each}/comm`, "utf8").trim() === "bwrap",
      )
      .map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // ESRCH: it ended by itself meanwhile.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
