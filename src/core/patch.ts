import type { ChangedFile } from "./ports.ts";

/** What a patch does to one file. */
export interface FilePatch {
  file: ChangedFile;
  /** Lines of its new version that were not in the old one, without line ends, in runs that belong together. */
  runs: { from: number; lines: string[] }[];
  /** Lines of its old version that are gone, in order. */
  removed: string[];
  /** The whole of it, as git wrote it. */
  text: string;
}

/**
 * Takes a patch of git apart. It lists the files in the order of `files`, whose names are taken instead of
 * its own: a name in a patch may hold anything. Throws when the two do not belong together.
 */
export function readPatch(patch: string, files: ChangedFile[]): FilePatch[] {
  // Lines of content begin with a space, a sign or a backslash, so this is always a header. Only a line
  // feed ends a line here: a file may hold other signs that regular expressions take for line ends.
  const blocks = patch === "" ? [] : patch.split(/(?<=\n)(?=diff --git )/);
  let at = 0;
  const read = files.map((file) => {
    // Git writes a file that became a link, or the reverse, as one that goes and one that comes.
    const count = file.status === "type_changed" ? 2 : 1;
    const text = blocks.slice(at, at + count).join("");
    at += count;
    return { file, ...linesOf(text), text };
  });
  if (at !== blocks.length) throw new Error("a patch and its list of files do not belong together");
  return read;
}

/** Lines of the new version that a patch adds. */
export function addedLines(patch: FilePatch): { line: number; text: string }[] {
  return patch.runs.flatMap(({ from, lines }) =>
    lines.map((text, index) => ({ line: from + index, text })),
  );
}

const HUNK = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

function linesOf(text: string): Pick<FilePatch, "runs" | "removed"> {
  const runs: FilePatch["runs"] = [];
  const removed: string[] = [];
  let line = 0;
  /** Null between the header of a file and its first hunk. */
  let run: FilePatch["runs"][number] | null = null;
  let inHunk = false;
  for (const each of text.split("\n")) {
    const sign = each[0];
    if (each.startsWith("diff --git ")) {
      inHunk = false;
    } else if (sign === "@") {
      line = Number(HUNK.exec(each)?.[1] ?? 0);
      inHunk = true;
      run = null;
    } else if (!inHunk) {
      // "+++ b/name" is no line of the file.
    } else if (sign === "+") {
      run ??= start(runs, line);
      run.lines.push(each.slice(1));
      line += 1;
    } else if (sign === "-") {
      removed.push(each.slice(1));
    } else if (sign === " ") {
      line += 1;
      run = null;
    }
  }
  return { runs, removed };
}

function start(runs: FilePatch["runs"], from: number): FilePatch["runs"][number] {
  const run = { from, lines: [] };
  runs.push(run);
  return run;
}
