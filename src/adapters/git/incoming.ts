import { mkdtemp, readdir, rename } from "node:fs/promises";
import path from "node:path";
import { removeAll } from "./layout.ts";
import { type RunningGit, startGit } from "./run-git.ts";

/** A single allocation may not be larger, whatever size an object in a pack claims to have. */
const MAX_ALLOCATION = "1g";

/** Objects that came and are not the mirror's own yet. */
export interface Incoming {
  /** With this git sees them beside the mirror's. */
  env: Record<string, string>;
  /** Starts the reader of a pack that may be anything: its objects are checked one by one (trust.md T16). */
  read(maxBytes: number): RunningGit;
  /** Makes them the mirror's own. */
  keep(): Promise<void>;
}

/** Objects stay apart from the mirror's own until every gate is passed, as in git's receive-pack. */
export async function withIncoming<T>(
  dir: string,
  work: (incoming: Incoming) => Promise<T>,
): Promise<T> {
  const objects = path.join(dir, "objects");
  const apart = await mkdtemp(path.join(dir, "incoming-"));
  const env = { GIT_OBJECT_DIRECTORY: apart, GIT_ALTERNATE_OBJECT_DIRECTORIES: objects };
  try {
    return await work({
      env,
      read: (maxBytes) => readPack(dir, env, maxBytes),
      keep: () => keepPacks(apart, objects),
    });
  } finally {
    await removeAll(apart);
  }
}

function readPack(dir: string, env: Record<string, string>, maxBytes: number): RunningGit {
  const flags = ["--stdin", "--fix-thin", "--strict", "--threads=1"];
  return startGit(
    dir,
    ["-c", "core.bigFileThreshold=32m", "index-pack", ...flags, `--max-input-size=${maxBytes}`],
    { env: { ...env, GIT_ALLOC_LIMIT: MAX_ALLOCATION }, stdin: true },
  );
}

/** The index of a pack goes last: without it git does not look at the pack. */
async function keepPacks(incoming: string, objects: string): Promise<void> {
  const from = path.join(incoming, "pack");
  const names = (await readdir(from)).filter((name) => name.startsWith("pack-"));
  const order = [
    ...names.filter((name) => !name.endsWith(".idx")),
    ...names.filter((name) => name.endsWith(".idx")),
  ];
  for (const name of order) await rename(path.join(from, name), path.join(objects, "pack", name));
}
