import type { FileChange } from "../../core/job.ts";
import type { ChangedFile } from "../../core/ports.ts";
import { gitBytes } from "./run-git.ts";

const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Files from here on count as binary: to compare lines takes sixty times the memory of a file that has
 * nothing in them.
 */
export const LARGE_IS_BINARY = ["-c", "core.bigFileThreshold=16m"];

/** A changed file with the objects it was and became; for one that is new, or deleted, nothing but zeros. */
export interface ChangedObject extends ChangedFile {
  oldId: string;
  newId: string;
}

/** What differs between two trees or commits, renames taken apart. Throws GitFailure. */
export async function changedFiles(
  gitDir: string,
  from: string,
  to: string,
): Promise<ChangedObject[]> {
  return countLines(gitDir, from, to, await changedObjects(gitDir, from, to));
}

/** The same without a look into any file: lines are not counted. */
export async function changedObjects(
  gitDir: string,
  from: string,
  to: string,
  env: Record<string, string> = {},
): Promise<ChangedObject[]> {
  const tokens = await compare(gitDir, from, to, "--raw", env);
  const files: ChangedObject[] = [];
  for (let at = 0; tokens[at]?.startsWith(":"); at += 2) {
    const [oldMode = "", newMode = "", oldId = "", newId = "", letter = ""] = (tokens[at] ?? "")
      .slice(1)
      .split(" ");
    files.push({
      path: tokens[at + 1] ?? "",
      oldMode,
      newMode,
      oldId,
      newId,
      status: statusOf(letter),
      added: null,
      removed: null,
      leadsTo: null,
    });
  }
  return files;
}

/** The files of `changedObjects` with their lines. */
export async function countLines(
  gitDir: string,
  from: string,
  to: string,
  files: ChangedObject[],
  env: Record<string, string> = {},
): Promise<ChangedObject[]> {
  const counts = await compare(gitDir, from, to, "--numstat", env);
  return files.map((file, at) => {
    const [added, removed] = (counts[at] ?? "").split("\t");
    return { ...file, added: countOf(added), removed: countOf(removed) };
  });
}

/** What `diff-tree -z` says. A name that is not UTF-8 comes out with replacement characters. */
async function compare(
  gitDir: string,
  from: string,
  to: string,
  format: "--raw" | "--numstat",
  env: Record<string, string>,
): Promise<string[]> {
  const flags = [
    "-r",
    "-z",
    format,
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
  ];
  const output = await gitBytes(
    gitDir,
    [...LARGE_IS_BINARY, "diff-tree", ...flags, "--end-of-options", from, to],
    { maxBytes: MAX_BYTES, env },
  );
  if (output === null) throw new Error("the list of changed files is longer than 64 MB");
  return output.toString().split("\0");
}

function statusOf(letter: string): FileChange["status"] {
  switch (letter) {
    case "A":
      return "added";
    case "M":
      return "modified";
    case "D":
      return "deleted";
    case "T":
      return "type_changed";
    default:
      throw new Error(`git reported a change of kind ${JSON.stringify(letter)}`);
  }
}

/** git writes a dash for binary files. */
function countOf(text: string | undefined): number | null {
  return text === undefined || !/^\d+$/.test(text) ? null : Number(text);
}
