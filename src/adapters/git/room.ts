import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { TransientError, toError } from "../../core/errors.ts";
import type { GitContext } from "./layout.ts";
import type { RunningGit } from "./run-git.ts";
import { unlessAbsent } from "./unless-absent.ts";

const LOOK_MS = 1000;

/**
 * Runs a transfer into a mirror while the machine has room for it: how large a repository is, only its
 * transfer shows. Throws TransientError when there is none left; what had come is removed. Call under
 * the mirror's lock.
 */
export async function inRoom<T>(
  context: GitContext,
  dir: string,
  transfer: (started: (running: RunningGit) => void) => Promise<T>,
): Promise<T> {
  let lacking = await context.sandbox.room();
  let running: RunningGit | null = null;
  const look = setInterval(() => {
    context.sandbox
      .room()
      .then((found) => {
        lacking ??= found;
        if (lacking !== null) running?.kill();
      })
      .catch((thrown: unknown) => {
        context.log.warn({ err: toError(thrown) }, "the room for a transfer is not known");
      });
  }, LOOK_MS);
  try {
    if (lacking === null) {
      return await transfer((started) => {
        running = started;
      });
    }
  } catch (error) {
    if (lacking === null) throw error;
    await dropHalf(dir);
  } finally {
    clearInterval(look);
  }
  context.log.warn({ reason: lacking }, "a transfer was given up: the machine has no room for it");
  throw new TransientError("this server is short of disk or memory");
}

/** Removes the pack that was being written. Call under the mirror's lock. */
export async function dropHalf(dir: string): Promise<void> {
  const packs = path.join(dir, "objects", "pack");
  for (const name of (await unlessAbsent(readdir(packs))) ?? []) {
    if (name.startsWith("tmp_")) await rm(path.join(packs, name), { force: true });
  }
}
