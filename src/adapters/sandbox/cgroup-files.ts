import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Start of the name of everything we make among control groups. */
export const PREFIX = "draftsmith-";

/** A name for the group of this server's jobs; the id of its process tells later whether it is gone. */
export function freshName(): string {
  return `${PREFIX}${process.pid}-${randomBytes(3).toString("hex")}`;
}

/**
 * Removes what servers left that are gone. A sandbox that was starting when its server was killed did not
 * see that: it is ended here. A group in which something else runs cannot be removed.
 */
export async function sweepGroups(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const pid = /^draftsmith-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const dir = path.join(base, name);
    const groups = [...(await subgroups(dir)), dir];
    let ended = 0;
    for (const group of groups) ended += await endSandboxes(group);
    for (const group of groups) await removeGroup(group, ended > 0 ? 20 : 1);
  }
}

/** Kills the sandboxes that still run in a group; how many. With one ends all that runs in it. */
async function endSandboxes(dir: string): Promise<number> {
  let ended = 0;
  for (const line of (await readGroup(dir, "cgroup.procs")).split("\n")) {
    const pid = Number(line);
    // 0 is a process of another namespace.
    if (!Number.isInteger(pid) || pid <= 1) continue;
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(ignoreAbsent);
    if (name?.trim() !== "bwrap") continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // It ended by itself meanwhile.
      ignoreAbsent(error);
    }
    ended += 1;
  }
  return ended;
}

/** Directories of groups in a group. */
export async function subgroups(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(ignoreAbsent);
  return (entries ?? [])
    .filter((each) => each.isDirectory())
    .map((each) => path.join(dir, each.name));
}

/** Removes a group; processes that were killed may take a moment to leave it. False when they do not. */
export async function removeGroup(dir: string, tries = 20): Promise<boolean> {
  for (let at = 1; ; at += 1) {
    try {
      await rmdir(dir);
      return true;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return true;
      if (at >= tries) return false;
      await sleep(10 * at);
    }
  }
}

/** Writes a setting of a group; false where there is none of that name. */
export async function setGroup(
  dir: string,
  name: string,
  value: string | number,
): Promise<boolean> {
  try {
    await writeFile(path.join(dir, name), String(value));
    return true;
  } catch (error) {
    // The kernel lets nobody make a file there.
    if (!existsSync(path.join(dir, name))) return false;
    throw error;
  }
}

/** The text of a file of a group; empty where there is none, or the group is gone. */
export async function readGroup(dir: string, name: string): Promise<string> {
  return (await readFile(path.join(dir, name), "utf8").catch(ignoreAbsent)) ?? "";
}

/** The number after a word that begins a line; 0 without one. */
export function numberAfter(text: string, word: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${word} `));
  return Number(line?.slice(word.length + 1) ?? 0);
}

/** Whether an error means that we may not do this here, rather than that something is broken. */
export function isForbidden(error: unknown): boolean {
  const codes = ["EACCES", "EPERM", "EROFS", "ENOENT", "EBUSY", "EINVAL", "ENOTSUP", "EOPNOTSUPP"];
  return codes.includes(String(codeOf(error)));
}

function ignoreAbsent(error: unknown): null {
  if (["ENOENT", "ENODEV", "ESRCH"].includes(String(codeOf(error)))) return null;
  throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}
