import { realpathSync } from "node:fs";
import path from "node:path";
import type { RepoRef } from "../../core/job.ts";
import { createLock } from "../../core/lock.ts";
import type {
  GitPush,
  Log,
  Objects,
  Sandbox,
  SkillShelf,
  Trees,
  Workspaces,
} from "../../core/ports.ts";
import { close } from "./close.ts";
import { createFetch } from "./fetch.ts";
import { type GitContext, makeOuter, type SandboxUser } from "./layout.ts";
import { createListMirrors } from "./list-mirrors.ts";
import { createMount } from "./mount-skill.ts";
import { createObjects } from "./objects.ts";
import { createOpen } from "./open.ts";
import { createPremises } from "./premises.ts";
import { createPushes } from "./push.ts";
import { createUnseal, createWithSealed } from "./sealed.ts";
import { createSnapshot } from "./snapshot.ts";
import { createPack, createPackCommit, createUnpack } from "./step-files.ts";
import { sweep } from "./sweep.ts";
import { createTrash } from "./trash.ts";
import { createTrees } from "./trees.ts";

/** What the git adapter needs. */
export interface GitOptions {
  /** Where mirrors and workspaces live; the sandbox's uid must be able to pass through to it. */
  workDir: string;
  sandbox: Sandbox;
  /** The uid and gid of the sandbox; null when it runs as the server's own user. */
  user: SandboxUser;
  /** Address of a repository on GitHub, by https (http for a host without TLS), without credentials. */
  remoteUrl: (repo: RepoRef) => string;
  log: Log;
}

/**
 * Mirrors, workspaces and pushes: the only place where git runs on the host. Makes its directories.
 */
export function createGit(options: GitOptions): Workspaces &
  Objects &
  GitPush &
  Trees &
  SkillShelf & {
    premises: ReturnType<typeof createPremises>;
    sweep(live: ReadonlySet<string>): Promise<void>;
  } {
  makeOuter(options.workDir, options.user);
  // The same path means the same inside the sandbox only when no link is on the way.
  const workDir = realpathSync(options.workDir);
  for (const name of ["mirrors", "workspaces", "trash"]) {
    makeOuter(path.join(workDir, name), options.user);
  }
  const trash = createTrash(path.join(workDir, "trash"), options.log);
  const context: GitContext = { ...options, workDir, lock: createLock(), trash, using: new Map() };
  return {
    fetch: createFetch(context),
    open: createOpen(context),
    snapshot: createSnapshot(context),
    pack: createPack(context),
    mirrors: createListMirrors(context),
    packCommit: createPackCommit(context),
    unpack: createUnpack(context),
    withSealed: createWithSealed(context),
    unseal: createUnseal(context),
    close: (jobId, repo) => close(context, jobId, repo),
    premises: createPremises(context),
    sweep: (live) => sweep(context, live),
    mount: createMount(context),
    ...createObjects(context),
    ...createTrees(context),
    ...createPushes(context),
  };
}
