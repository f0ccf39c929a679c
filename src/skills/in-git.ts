import type { RepoRef } from "../core/job.ts";
import type { TreeEntry, Trees } from "../core/ports.ts";
import { type FolderEntry, MAX_FILES, type SkillFolder } from "./folder.ts";

/** Where repositories keep skills; of one name the one in the later folder counts. */
export const ROOTS = [".agents/skills", ".codex/skills", ".claude/skills", ".github/skills"];
/** In an organisation's `.github` repository a plain `skills` folder counts as well, before the others. */
export const ORGANISATION_ROOTS = ["skills", ...ROOTS];

/** Folders of one root that are looked at. */
const MAX_FOLDERS = 200;
/** Files below one root that are listed. */
const MAX_LISTED = 20_000;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** What a root holds: its folders in order, and why it, or one of them, is not looked at. */
export interface RootFolders {
  folders: SkillFolder[];
  problems: { path: string; line: number; message: string }[];
}

/** The folders of a root in a commit: from git's objects, never from a checkout. */
export async function foldersInGit(
  trees: Trees,
  { repo, commit }: { repo: RepoRef; commit: string },
  root: string,
): Promise<RootFolders> {
  const found = await trees.entries(repo, commit, root, MAX_LISTED);
  const problem = (path: string, message: string) => ({ path, line: 1, message });
  if (found === null) {
    const message = `holds more than ${MAX_LISTED} files, so none of its skills is read; keep fewer there`;
    return { folders: [], problems: [problem(root, message)] };
  }
  const byFolder = new Map<string, TreeEntry[]>();
  const problems: RootFolders["problems"] = [];
  for (const entry of found) {
    const [name = "", ...rest] = entry.path.slice(root.length + 1).split("/");
    // A link in the place of a folder leads to another root as a rule, where the skill is read itself.
    if (rest.length === 0) continue;
    byFolder.set(name, [...(byFolder.get(name) ?? []), entry]);
  }
  const names = [...byFolder.keys()].sort();
  if (names.length > MAX_FOLDERS) {
    const message = `holds more than ${MAX_FOLDERS} folders; those after ${names[MAX_FOLDERS - 1]} are not read`;
    problems.push(problem(root, message));
  }
  const folders = names.slice(0, MAX_FOLDERS).map((name): SkillFolder => {
    const inside = byFolder.get(name) ?? [];
    const prefix = `${root}/${name}`;
    const ids = new Map<string, string>();
    const entries = inside.map(({ path, mode, size, id }): FolderEntry => {
      const below = path.slice(prefix.length + 1);
      ids.set(below, id);
      return { path: below, mode: modeOf(mode), size };
    });
    return {
      name,
      path: prefix,
      entries: entries.length > MAX_FILES ? null : entries,
      read: ({ path }) => trees.bytes(repo, ids.get(path) ?? "", MAX_FILE_BYTES),
    };
  });
  return { folders, problems };
}

function modeOf(mode: string): FolderEntry["mode"] {
  if (mode === "100755" || mode === "120000") return mode;
  // Git once wrote files that a group may write, too.
  return mode === "100644" || mode === "100664" ? "100644" : "other";
}
