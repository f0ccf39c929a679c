import { spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import path from "node:path";
import type { RepoRef } from "../../core/job.ts";
import type { Lock } from "../../core/lock.ts";
import type { Log, Sandbox } from "../../core/ports.ts";
import type { Trash } from "./trash.ts";

/** The uid and gid of the sandbox; null when it runs as the server's own user. */
export type SandboxUser = { uid: number; gid: number } | null;

/** What every part of this adapter works with. */
export interface GitContext {
  /** Absolute, without symbolic links on the way. */
  workDir: string;
  sandbox: Sandbox;
  user: SandboxUser;
  remoteUrl: (repo: RepoRef) => string;
  lock: Lock;
  trash: Trash;
  /** Mirrors that somebody works with at this moment, with how many do. */
  using: Map<string, number>;
  log: Log;
}

/** Where the parts of one job's workspace lie; only the first four belong to the sandbox. */
export interface Place {
  tree: string;
  /** The agent's own git directory. */
  git: string;
  home: string;
  tmp: string;
  dir: string;
  /** Written last when opening: names repository and commit. */
  record: string;
  /** Files of skills, for the sandbox to read. */
  skills: string;
  /** The index as it stood right after the checkout. */
  index: string;
}

/** Directory of a repository's bare mirror, named by GitHub's id so that a rename changes nothing. */
export function mirrorDir(workDir: string, repo: RepoRef): string {
  if (!Number.isSafeInteger(repo.id)) throw new Error(`not a repository id: ${repo.id}`);
  return path.join(workDir, "mirrors", `${repo.id}.git`);
}

/** Paths of a job's workspace. */
export function placeOf(workDir: string, jobId: string): Place {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/.test(jobId)) throw new Error(`not a job id: ${jobId}`);
  const dir = path.join(workDir, "workspaces", jobId);
  const inside = (name: string) => path.join(dir, name);
  return {
    tree: inside("tree"),
    git: inside("git"),
    home: inside("home"),
    tmp: inside("tmp"),
    dir,
    record: inside("opened"),
    skills: inside("skills"),
    index: inside("base.index"),
  };
}

/** Makes a directory that the sandbox may pass through, and nobody else may enter. */
export function makeOuter(dir: string, user: SandboxUser): void {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, user === null ? 0o700 : 0o710);
  if (user !== null) chownSync(dir, 0, user.gid);
}

/** Hands a directory to the sandbox, made when missing. */
export function giveAway(dir: string, user: SandboxUser): void {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o700);
  if (user !== null) chownSync(dir, user.uid, user.gid);
}

/**
 * Removes whatever stands at `dir`. Node's own recursive removal fails on names that are not UTF-8 and
 * on paths longer than the system's limit, both of which a job can make.
 */
export async function removeAll(dir: string): Promise<void> {
  const removed = await run("rm", ["-rf", "--", dir]);
  if (removed.code === 0) return;
  // Directories the job closed to its own user; links are not followed.
  await run("chmod", ["-R", "u+rwX", "--", dir]);
  const again = await run("rm", ["-rf", "--", dir]);
  if (again.code !== 0) throw new Error(`could not remove ${dir}: ${again.stderr.slice(-1000)}`);
}

function run(program: string, args: string[]): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    // What a job left is not worth an answer that comes late.
    const child = spawn("nice", ["-n", "10", program, ...args], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin:/run/current-system/sw/bin", LC_ALL: "C" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-4000);
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stderr }));
  });
}
