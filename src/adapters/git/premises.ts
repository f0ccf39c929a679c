import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { toError } from "../../core/errors.ts";
import type { Busy, Premises } from "../../core/ports.ts";
import { diskUse } from "./disk-use.ts";
import type { GitContext } from "./layout.ts";
import { dropLeftovers, isDamage, tidy } from "./mirror.ts";
import { git } from "./run-git.ts";
import { unlessAbsent } from "./unless-absent.ts";
import { forget, registered } from "./worktrees.ts";

const JOB_REFS = "refs/draftsmith/jobs/";
/** Objects that no ref leads to are kept this long: a job may be about to name them. */
const UNREACHABLE = "2.weeks.ago";
const REPACK_MS = 60 * 60_000;
/** From here on objects are packed anew, and those that nothing needs go. */
const MANY_PACKS = 20;
const MANY_LOOSE = 5_000;

/** What jobs leave in mirrors and workspaces, and what that takes of the disk: see the port. */
export function createPremises(context: GitContext): Omit<Premises, "size"> & {
  size(dataDir: string): Promise<number>;
} {
  const { workDir, trash, log } = context;
  const mirrors = path.join(workDir, "mirrors");
  const workspaces = path.join(workDir, "workspaces");

  /** Mirrors that are there, by the number of their repository. */
  async function mirrorsHere(): Promise<{ id: number; dir: string }[]> {
    const names = await readdir(mirrors);
    return names.flatMap((name) => {
      const id = /^(\d+)\.git$/.exec(name)?.[1];
      return id === undefined ? [] : [{ id: Number(id), dir: path.join(mirrors, name) }];
    });
  }

  async function clearMirror(
    { id, dir }: { id: number; dir: string },
    unneeded: ReadonlySet<string>,
    busy: Busy,
  ): Promise<void> {
    // Before anything else: a lock keeps refs from being deleted.
    await dropLeftovers(dir);
    for (const { entry, tree } of await registered(dir)) {
      const gone = tree === null || ((await isAbsent(tree)) && !busy.job(jobOfTree(tree)));
      if (gone) await forget(dir, entry);
    }
    const refs = (await jobRefs(dir)).filter((ref) => unneeded.has(jobOfRef(ref)));
    if (refs.length > 0) {
      const input = refs.map((ref) => `delete ${ref}\n`).join("");
      await git(dir, ["update-ref", "--stdin"], { input });
    }
    if (busy.repository(id)) return;
    await tidy(dir);
    if ((await registered(dir)).length === 0 && (await isUntidy(dir))) {
      await git(dir, ["pack-refs", "--all"]);
      const flags = ["-A", "-d", "-q", `--unpack-unreachable=${UNREACHABLE}`];
      await git(dir, ["repack", ...flags], { silenceMs: REPACK_MS });
    }
  }

  /** Whether nothing in a mirror is worth more than the time to fetch it again. */
  async function isSpare(dir: string): Promise<boolean> {
    if ((await registered(dir)).length > 0) return false;
    try {
      return (await jobRefs(dir)).length === 0;
    } catch (thrown) {
      if (isDamage(thrown)) return true;
      throw thrown;
    }
  }

  return {
    async jobs() {
      const found = new Set((await readdir(workspaces)).map(jobOfWorkspace));
      for (const { dir } of await mirrorsHere()) {
        for (const { tree } of await registered(dir)) if (tree !== null) found.add(jobOfTree(tree));
        try {
          for (const ref of await jobRefs(dir)) found.add(jobOfRef(ref));
        } catch (thrown) {
          // Whoever works with it next sets a damaged one aside.
          log.warn({ err: toError(thrown), dir }, "the refs of a mirror cannot be read");
        }
      }
      return [...found];
    },

    async clear(over, busy) {
      await trash.empty();
      const ended = new Set(over.map(({ id }) => id));
      const unneeded = new Set(over.filter(({ held }) => !held).map(({ id }) => id));
      for (const name of await readdir(workspaces)) {
        const job = jobOfWorkspace(name);
        if (ended.has(job) && !busy.job(job)) await trash.discard(path.join(workspaces, name));
      }
      for (const mirror of await mirrorsHere()) {
        try {
          await context.lock(`mirror:${mirror.id}`, () => clearMirror(mirror, unneeded, busy));
        } catch (thrown) {
          log.warn({ err: toError(thrown), dir: mirror.dir }, "a mirror could not be cleared");
        }
      }
    },

    async size(dataDir) {
      const sizes = await diskUse([dataDir, workDir]);
      return sizes.reduce((sum, size) => sum + size, 0);
    },

    async shrink(bytes, busy) {
      const damaged = (await readdir(mirrors)).filter((name) => name.endsWith(".damaged"));
      const aside = damaged.map((name) => ({ id: null, dir: path.join(mirrors, name), usedAt: 0 }));
      const whole = await Promise.all(
        (await mirrorsHere()).map(async ({ id, dir }) => ({ id, dir, usedAt: await usedAt(dir) })),
      );
      let freed = 0;
      for (const { id, dir } of [...aside, ...whole].toSorted((a, b) => a.usedAt - b.usedAt)) {
        if (freed >= bytes) break;
        freed += await context.lock(id === null ? dir : `mirror:${id}`, async () => {
          if (id !== null && (busy.repository(id) || !(await isSpare(dir)))) return 0;
          const [size = 0] = await diskUse([dir]);
          // Asked again: a job may have begun since.
          if (id !== null && (busy.repository(id) || context.using.has(dir))) return 0;
          await trash.discard(dir);
          log.info({ dir, bytes: size }, "a mirror was removed to make room");
          return size;
        });
      }
      return freed;
    },
  };
}

function jobRefs(dir: string): Promise<string[]> {
  return git(dir, ["for-each-ref", "--format=%(refname)", "--", JOB_REFS]).then(({ stdout }) =>
    stdout.split("\n").filter((line) => line !== ""),
  );
}

function jobOfRef(ref: string): string {
  return ref.slice(JOB_REFS.length);
}

/** A job has a workspace of its own name, and one for its checks. */
function jobOfWorkspace(name: string): string {
  return name.replace(/-check$/, "");
}

function jobOfTree(tree: string): string {
  return jobOfWorkspace(path.basename(path.dirname(tree)));
}

async function isUntidy(dir: string): Promise<boolean> {
  const { stdout } = await git(dir, ["count-objects", "-v"]);
  const count = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, "m").exec(stdout)?.[1]);
  return count("packs") > MANY_PACKS || count("count") > MANY_LOOSE;
}

/** When somebody last worked with a mirror (see `inMirror`), in ms since the epoch. */
async function usedAt(dir: string): Promise<number> {
  return (await unlessAbsent(stat(path.join(dir, "HEAD"))))?.mtimeMs ?? 0;
}

async function isAbsent(file: string): Promise<boolean> {
  return (await unlessAbsent(stat(file))) === null;
}
