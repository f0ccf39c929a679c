import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** Places of env_start and env_end behind the name of the command (proc_pid_stat(5), fields 50 and 51). */
const ENV_START = 47;
const ENV_END = 48;

/**
 * Overwrites the values of these variables where the kernel keeps a process's first environment: what
 * is deleted from the environment in memory still stands in /proc/<pid>/environ. Gives the names that could not be
 * overwritten; elsewhere than on Linux there is no such file, and nothing to do.
 */
export function scrubEnvironment(names: readonly string[]): string[] {
  if (process.platform !== "linux") return [];
  const found = placesOf(names, readFileSync("/proc/self/environ"));
  if (found.length === 0) return [];
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = Number(fields[ENV_START]);
  const end = Number(fields[ENV_END]);
  try {
    overwrite(
      found.filter(({ at, length }) => start + at + length <= end),
      start,
    );
  } catch {
    // A kernel may forbid it.
    return found.map(({ name }) => name);
  }
  return placesOf(names, readFileSync("/proc/self/environ")).map(({ name }) => name);
}

interface Place {
  name: string;
  /** Bytes from the beginning of the environment. */
  at: number;
  length: number;
}

function overwrite(places: Place[], start: number): void {
  const memory = openSync("/proc/self/mem", "r+");
  try {
    for (const { at, length } of places) {
      writeSync(memory, Buffer.alloc(length), 0, length, start + at);
    }
  } finally {
    closeSync(memory);
  }
}

/** Where the values of these variables stand in an environment block, as far as they have any. */
function placesOf(names: readonly string[], block: Buffer): Place[] {
  const places: Place[] = [];
  for (let at = 0; at < block.length; ) {
    const nul = block.indexOf(0, at);
    const end = nul === -1 ? block.length : nul;
    const equals = block.indexOf("=", at);
    const name = equals === -1 || equals > end ? "" : block.toString("latin1", at, equals);
    if (names.includes(name) && end > equals + 1) {
      places.push({ name, at: equals + 1, length: end - equals - 1 });
    }
    at = end + 1;
  }
  return places;
}
