import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Files of a version: path → content; null where there is none. */
export type Files = Record<string, string | null>;

/** A diff as git writes it between two versions, with the options under which changes are looked through. */
export function realDiff(before: Files, after: Files, options: string[] = []): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-diff-"));
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: dir, encoding: "utf8", maxBuffer: 2 ** 28 });
  const treeOf = (files: Files) => {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(dir, name);
      if (content === null) rmSync(file, { force: true });
      else {
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
    }
    git("add", "-A");
    return git("write-tree").trim();
  };
  try {
    git("init", "-q", "--initial-branch=main");
    const from = treeOf(before);
    const to = treeOf(after);
    const flags = ["-p", "-r", "--text", "--no-renames", "--full-index", "--no-color"];
    return git("diff-tree", ...flags, ...options, from, to);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
