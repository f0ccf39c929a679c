import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Workspaces } from "../../core/ports.ts";
import type { GitContext } from "./layout.ts";
import { unlessAbsent } from "./unless-absent.ts";

/** Lists mirrors: see the port. */
export function createListMirrors({ workDir }: GitContext): Workspaces["mirrors"] {
  const mirrors = path.join(workDir, "mirrors");
  return async () => {
    const ids = (await readdir(mirrors)).flatMap((name) => /^(\d+)\.git$/.exec(name)?.[1] ?? []);
    const full = await Promise.all(ids.map(async (id) => ((await isFull(id)) ? [Number(id)] : [])));
    return full.flat().sort((a, b) => a - b);
  };

  /** The first fetch makes this directory last. */
  async function isFull(id: string): Promise<boolean> {
    const refs = path.join(mirrors, `${id}.git`, "refs", "remotes");
    const packed = path.join(mirrors, `${id}.git`, "packed-refs");
    const found = await Promise.all([refs, packed].map((file) => unlessAbsent(stat(file))));
    return found.some((each) => each !== null);
  }
}
