import type { FileChange } from "../../core/job.ts";
import type { ChangedFile } from "../../core/ports.ts";
import { gitBytes } from "./run-git.ts";

const MAX_BYTES = 64 * 1024 * 1024;

/** A changed file with the object it became; a deleted one became nothing but zeros. */
export interface ChangedObject extends ChangedFile {
  newId: string;
}

/** What differs between two trees or commits, renames taken apart. Throws GitFailure. */
export async function changedFiles(
  gitDir: string,
  from: string,
  to: string,
  env: Record<string, string> = {},
): Promise<ChangedObject[]> {
  const flags = [
    "-r",
    "-z",
    "--raw",
    "--numstat",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
  ];
  const output = await gitBytes(gitDir, ["diff-tree", ...flags, "--end-of-options", from, to], {
    maxBytes: MAX_BYTES,
    env,
  });
  if (output === null) throw new Error("the list of changed files is longer than 64 MB");
  return parseChanges(output.toString());
}

/**
 * Reads `diff-tree -z --raw --numstat`: first each file's modes, ids and letter, then each file's
 * counts. A name that is not UTF-8 comes out with replacement characters, the same in both lists.
 */
function parseChanges(output: string): ChangedObject[] {
  const tokens = output.split("\0");
  const files: ChangedObject[] = [];
  let at = 0;
  for (; tokens[at]?.startsWith(":"); at += 2) {
    const [oldMode = "", newMode = "", , newId = "", letter = ""] = (tokens[at] ?? "")
      .slice(1)
      .split(" ");
    const path = tokens[at + 1] ?? "";
    files.push({
      path,
      oldMode,
      newMode,
      newId,
      status: statusOf(letter),
      added: null,
      removed: null,
      leadsTo: null,
    });
  }
  for (const file of files) {
    const [added, removed] = (tokens[at++] ?? "").split("\t");
    file.added = countOf(added);
    file.removed = countOf(removed);
  }
  return files;
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
