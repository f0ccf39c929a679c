import { constants, type Dirent, type Stats } from "node:fs";
import { lstat, open, readdir, readlink, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { toError, UserError } from "../core/errors.ts";
import { codeSpan } from "../core/markdown.ts";
import type { TreeEntry, TreeFiles } from "../core/ports.ts";
import {
  type FolderEntry,
  isSkillFile,
  MAX_BUNDLE_BYTES,
  MAX_DEPTH,
  MAX_FILES,
  type SkillFolder,
} from "./folder.ts";

const MAX_FOLDERS = 20_000;

/** What a collection holds: folders that may be skills, and links that lead out of it, which nobody follows. */
export interface Collection {
  folders: SkillFolder[];
  linksOut: string[];
}

/**
 * The folders of a collection that may be skills: those with a SKILL.md at any depth, and those right in it that
 * hold none anywhere. What is hidden and holds none is no skill, as it is the business of git or an editor.
 */
export async function collectionOnDisk(dir: string): Promise<Collection> {
  const found: Found = { looked: 0, links: await linksTo(dir) };
  const folders: SkillFolder[] = [];
  for (const name of await namesIn(dir)) {
    const inside = await skillFoldersBelow(path.join(dir, name), 1, found);
    if (inside.length > 0) folders.push(...inside);
    else if (!name.startsWith("."))
      folders.push(await folderOnDisk(path.join(dir, name), { deep: false }));
  }
  const here = await realpath(dir);
  const out = found.links.filter(({ target }) => !isBelow(target, here));
  return { folders, linksOut: out.map(({ at }) => at) };
}

/** A checkout in the shape of a commit, so that its skills are found as a commit's are. */
export function filesOnDisk(checkout: string): TreeFiles {
  const entryOf = async (inside: string): Promise<TreeEntry | null> => {
    const above = path.dirname(inside);
    const real = await unlessMissing(realpath(path.join(checkout, above)));
    // As in a commit, nothing stands at a path that goes through a link.
    if (real !== path.join(await realpath(checkout), above)) return null;
    const found = await unlessMissing(lstat(path.join(checkout, inside)));
    if (found === null) return null;
    const kind = found.isDirectory() ? "040000" : kindOf(found, found.mode);
    return { path: inside, mode: kind, id: inside, size: found.size };
  };
  return {
    entry: entryOf,
    async entries(folder, most) {
      const entries: FolderEntry[] = [];
      const whole = await walk(path.join(checkout, folder), "", { entries, deep: true, most });
      if (!whole) return null;
      const at = (inside: string) => (folder === "" ? inside : `${folder}/${inside}`);
      return entries.map((each) => ({ ...each, path: at(each.path), id: at(each.path) }));
    },
    bytes: (id) => readInside(checkout, id),
  };
}

/** Links in a directory that lead to folders, wherever those are. */
async function linksTo(dir: string): Promise<Found["links"]> {
  const found = await readdir(dir, { withFileTypes: true });
  const names = found.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
  const links: Found["links"] = [];
  for (const name of names.sort()) {
    const at = path.join(dir, name);
    const target = await unlessMissing(realpath(at));
    if (target !== null && (await stat(target)).isDirectory()) links.push({ at, target });
  }
  return links;
}

function isBelow(target: string, dir: string): boolean {
  return target.startsWith(`${dir}${path.sep}`);
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | null> {
  return asked.catch((thrown: unknown) => {
    if (isMissing(thrown)) return null;
    throw thrown;
  });
}

function isMissing(thrown: unknown): boolean {
  return /^(ENOENT|ENOTDIR|ELOOP|EMLINK)/.test(toError(thrown).message);
}

/** What was found on the way so far. */
interface Found {
  looked: number;
  /** Links to folders, beside skills. */
  links: { at: string; target: string }[];
}

/** A folder with a SKILL.md, or else those below it; one that cannot be looked into is a problem, and hides no other. */
async function skillFoldersBelow(dir: string, depth: number, found: Found): Promise<SkillFolder[]> {
  found.looked += 1;
  try {
    const names = await readdir(dir);
    if (names.some(isSkillFile)) return [await folderOnDisk(dir)];
    found.links.push(...(await linksTo(dir)));
  } catch (thrown) {
    return [unreadable(dir, toError(thrown))];
  }
  const below: SkillFolder[] = [];
  if (depth === MAX_DEPTH) return below;
  for (const name of await namesIn(dir)) {
    if (found.looked >= MAX_FOLDERS) break;
    below.push(...(await skillFoldersBelow(path.join(dir, name), depth + 1, found)));
  }
  return below;
}

/** Folders in a directory that are not git's or a package manager's. */
async function namesIn(dir: string): Promise<string[]> {
  const found = await readdir(dir, { withFileTypes: true });
  return found
    .filter(
      (entry) => entry.isDirectory() && entry.name !== ".git" && entry.name !== "node_modules",
    )
    .map(({ name }) => name)
    .sort();
}

/** A folder that cannot be looked into, or in which something cannot: whoever reads its skill is told why. */
function unreadable(dir: string, why: Error): SkillFolder {
  return {
    name: path.basename(dir),
    path: dir,
    entries: [{ path: "SKILL.md", mode: "100644", size: 0 }],
    read: () => Promise.reject(new Error(`${why.message}; let the server's user read the folder`)),
  };
}

/** One folder of the server as it stands, or what is right in it. */
export async function folderOnDisk(
  dir: string,
  { deep = true, name = path.basename(dir) } = {},
): Promise<SkillFolder> {
  const entries: FolderEntry[] = [];
  const whole = await walk(dir, "", { entries, deep, most: MAX_FILES });
  return {
    name,
    path: dir,
    entries: whole ? entries : null,
    read: ({ path: inside }) => readInside(dir, inside),
  };
}

/** A file of a folder, or where a link in it leads. */
async function readInside(dir: string, inside: string): Promise<Uint8Array> {
  const file = path.join(dir, inside);
  if ((await lstat(file).catch(explained)).isSymbolicLink())
    return Buffer.from(await readlink(file));
  // What became a link since is not followed.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(explained);
  try {
    if ((await handle.stat()).size > MAX_BUNDLE_BYTES)
      throw new UserError(`${codeSpan(inside)} of a skill is too large by now`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Whoever works on the folder of a running server may take a file away or put a link in its place. */
function explained(thrown: unknown): never {
  if (isMissing(thrown))
    throw new UserError(
      "a file of a skill on this server is gone since it started; start the server again to use it, or ask with `--skill none`",
    );
  throw thrown;
}

/** Lists a folder and what is below; false when there is too much. */
async function walk(
  root: string,
  below: string,
  list: { entries: FolderEntry[]; deep: boolean; most: number },
): Promise<boolean> {
  const { entries, deep, most } = list;
  for (const found of await readdir(path.join(root, below), { withFileTypes: true })) {
    // A checkout's own history is no part of a skill.
    if (found.name === ".git") continue;
    const inside = below === "" ? found.name : `${below}/${found.name}`;
    if (found.isDirectory()) {
      if (!deep) continue;
      if (inside.split("/").length > 32 || !(await walk(root, inside, list))) return false;
      continue;
    }
    if (entries.length === most) return false;
    const { mode, size } = await lstat(path.join(root, inside));
    entries.push({ path: inside, mode: kindOf(found, mode), size });
  }
  return true;
}

function kindOf(found: Dirent | Stats, mode: number): FolderEntry["mode"] {
  if (found.isSymbolicLink()) return "120000";
  if (!found.isFile()) return "other";
  return (mode & 0o100) === 0 ? "100644" : "100755";
}
