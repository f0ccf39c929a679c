import type { RepoRef } from "../core/job.ts";
import type { TreeEntry, Trees } from "../core/ports.ts";
import { type FolderEntry, linkTarget, MAX_FILES, type SkillFolder } from "./folder.ts";

/** Where repositories keep skills; of one name the one in the later folder counts. */
export const ROOTS = [".agents/skills", ".codex/skills", ".claude/skills", ".github/skills"];
/** Where collections keep theirs. */
export const PLAIN_ROOT = "skills";
/** In an organisation's `.github` repository a plain `skills` folder counts as well, before the others. */
export const ORGANISATION_ROOTS = [PLAIN_ROOT, ...ROOTS];

/** Folders of one root that are looked at. */
const MAX_FOLDERS = 200;
/** Files below one root that are listed. */
const MAX_LISTED = 20_000;
/** Links in the places of folders that are followed. */
const MAX_LINKS = 50;
const MAX_TARGET_BYTES = 4096;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** What a root holds: its folders in order, and why it, or one of them, is not looked at. */
export interface RootFolders {
  folders: SkillFolder[];
  problems: { path: string; line: number; message: string }[];
}

/**
 * The folders of a root in a commit: from git's objects, never from a checkout. A link counts as the folder of
 * the same commit that it leads to, unless that one lies in `roots`, where it is read itself.
 */
export async function foldersInGit(
  trees: Trees,
  at: { repo: RepoRef; commit: string },
  root: string,
  roots: readonly string[] = ROOTS,
): Promise<RootFolders> {
  const place = await placeOf(trees, at, root);
  if (place === null) {
    const message = "is a symbolic link that leads to no folder of this repository; mend it";
    return { folders: [], problems: [{ path: root, line: 1, message }] };
  }
  if (place !== root && roots.includes(place)) return { folders: [], problems: [] };
  return foldersBelow(trees, at, { root: place, roots });
}

/** Where a root is: itself, the folder that a link in its place leads to, or null when that is nowhere. */
async function placeOf(
  trees: Trees,
  { repo, commit }: { repo: RepoRef; commit: string },
  root: string,
): Promise<string | null> {
  const parent = root.slice(0, Math.max(0, root.lastIndexOf("/")));
  if (parent === "") return root;
  const beside = await trees.entries(repo, commit, parent, MAX_LISTED);
  const link = beside?.find(({ path, mode }) => path === root && mode === "120000");
  if (link === undefined) return root;
  if (link.size > MAX_TARGET_BYTES) return null;
  const text = await trees.bytes(repo, link.id, MAX_TARGET_BYTES);
  const target = linkTarget(root, Buffer.from(text).toString());
  if (target === null || target === "") return null;
  return (await trees.entries(repo, commit, target, 1))?.length === 0 ? null : target;
}

async function foldersBelow(
  trees: Trees,
  at: { repo: RepoRef; commit: string },
  { root, roots }: { root: string; roots: readonly string[] },
): Promise<RootFolders> {
  const found = await trees.entries(at.repo, at.commit, root, MAX_LISTED);
  const problem = (path: string, message: string) => ({ path, line: 1, message });
  if (found === null) {
    const message = `holds more than ${MAX_LISTED} files, so none of its skills is read; keep fewer there`;
    return { folders: [], problems: [problem(root, message)] };
  }
  const byFolder = new Map<string, TreeEntry[]>();
  const links: TreeEntry[] = [];
  const problems: RootFolders["problems"] = [];
  for (const entry of found) {
    const [name = "", ...rest] = entry.path.slice(root.length + 1).split("/");
    if (rest.length > 0) {
      const inside = byFolder.get(name) ?? [];
      inside.push(entry);
      byFolder.set(name, inside);
    } else if (entry.mode === "120000") links.push(entry);
  }
  const names = [...byFolder.keys()].sort();
  if (names.length > MAX_FOLDERS) {
    const message = `holds more than ${MAX_FOLDERS} folders; those after ${names[MAX_FOLDERS - 1]} are not read`;
    problems.push(problem(root, message));
  }
  if (links.length > MAX_LINKS) {
    const message = `holds more than ${MAX_LINKS} symbolic links; those after ${links[MAX_LINKS - 1]?.path} are not followed`;
    problems.push(problem(root, message));
  }
  const folders = names.slice(0, MAX_FOLDERS).map((name) => {
    const path = `${root}/${name}`;
    return folderOf(trees, at.repo, { name, path, entries: byFolder.get(name) ?? [] });
  });
  for (const { path: link, id, size } of links.slice(0, MAX_LINKS)) {
    const text = size > MAX_TARGET_BYTES ? "" : await trees.bytes(at.repo, id, MAX_TARGET_BYTES);
    const path = linkTarget(link, Buffer.from(text).toString());
    const parent = path?.slice(0, Math.max(0, path.lastIndexOf("/"))) ?? "";
    if (roots.includes(parent)) continue;
    const entries = path ? await trees.entries(at.repo, at.commit, path, MAX_FILES) : [];
    if (!path || entries?.length === 0) {
      const message = "is a symbolic link that leads to no folder of this repository; mend it";
      problems.push(problem(link, message));
      continue;
    }
    const name = link.slice(root.length + 1);
    folders.push(folderOf(trees, at.repo, { name, path, entries }));
  }
  return { folders, problems };
}

function folderOf(
  trees: Trees,
  repo: RepoRef,
  { name, path, entries }: { name: string; path: string; entries: TreeEntry[] | null },
): SkillFolder {
  const ids = new Map<string, string>();
  const below = (entries ?? []).map((entry): FolderEntry => {
    const inside = entry.path.slice(path.length + 1);
    ids.set(inside, entry.id);
    return { path: inside, mode: modeOf(entry.mode), size: entry.size };
  });
  return {
    name,
    path,
    entries: entries === null || entries.length > MAX_FILES ? null : below,
    read: (entry) => trees.bytes(repo, ids.get(entry.path) ?? "", MAX_FILE_BYTES),
  };
}

function modeOf(mode: string): FolderEntry["mode"] {
  if (mode === "100755" || mode === "120000") return mode;
  // Git once wrote files that a group may write, too.
  return mode === "100644" || mode === "100664" ? "100644" : "other";
}
