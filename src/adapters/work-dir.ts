import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  lstatSync,
  mkdirSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { toError, UserError } from "../core/errors.ts";

/**
 * Makes the data directory (private) and chooses where mirrors and workspaces live: below it, or, when
 * the server is root and the sandbox's own uid cannot get there (a home directory, for instance), below
 * /var/tmp or the temporary directory under a name derived from the data directory. Throws UserError when
 * none can be reached.
 */
export function makeDirectories(
  dataDir: string,
  user: { uid: number; gid: number } | null,
): { dataDir: string; workDir: string } {
  try {
    makeWithParents(dataDir, 0o700);
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (thrown) {
    const reason = toError(thrown).message;
    throw new UserError(
      `Draftsmith cannot start:\n  DATA_DIR: ${dataDir} cannot be made (${reason}); choose a directory this user may write`,
    );
  }
  if (user === null) {
    const workDir = path.join(dataDir, "work");
    makeWorkDir(workDir, 0o700);
    return { dataDir, workDir };
  }
  const name = `draftsmith-${createHash("sha256").update(dataDir).digest("hex").slice(0, 12)}`;
  const parent = [dataDir, "/var/tmp", tmpdir()].find(
    (each) =>
      reachable(path.dirname(each), user.uid) && (each === dataDir || reachable(each, user.uid)),
  );
  if (parent === undefined) {
    throw new UserError(
      `DATA_DIR: the sandbox's uid ${user.uid} cannot reach ${dataDir}; choose a directory whose parents everyone may enter, such as /var/lib/draftsmith`,
    );
  }
  // The sandbox's group may pass through, and nobody may list.
  if (parent === dataDir) letThrough(dataDir, user.gid);
  const workDir = parent === dataDir ? path.join(dataDir, "work") : path.join(parent, name);
  makeWorkDir(workDir, 0o710);
  // Anyone can put something under this name there first, such as a link to a directory of root's.
  const made = lstatSync(workDir);
  if (made.uid !== 0 || !made.isDirectory())
    throw new UserError(`${workDir} is not a directory of root's; remove it`);
  letThrough(workDir, user.gid);
  return { dataDir, workDir };
}

function letThrough(dir: string, gid: number): void {
  try {
    chownSync(dir, 0, gid);
    chmodSync(dir, 0o710);
  } catch (thrown) {
    // A disk that failed is read-only while it is mounted as writable.
    throw new UserError(
      `Draftsmith cannot start:\n  DATA_DIR: ${dir} cannot be changed (${toError(thrown).message}); look at the disk, or choose a directory this user may write`,
    );
  }
}

function makeWorkDir(dir: string, mode: number): void {
  try {
    mkdirSync(dir, { recursive: true, mode });
  } catch (thrown) {
    throw new UserError(
      `Draftsmith cannot start:\n  DATA_DIR: ${dir} cannot be made (${toError(thrown).message}); remove what stands in its place`,
    );
  }
}

/** Not Node's own recursive mkdir, which never returns where a parent cannot hold directories, as in /proc. */
function makeWithParents(dir: string, mode: number): void {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  if (stat === undefined && path.dirname(dir) !== dir) makeWithParents(path.dirname(dir), 0o755);
  mkdirSync(dir, { mode });
}

/** Whether `uid`, a member of no group that matters, may enter every directory on the way to `dir`. */
function reachable(dir: string, uid: number): boolean {
  const stat = statSync(dir);
  const open = stat.uid === uid ? stat.mode & 0o100 : stat.mode & 0o001;
  if (open === 0) return false;
  const parent = path.dirname(dir);
  return parent === dir || reachable(parent, uid);
}
