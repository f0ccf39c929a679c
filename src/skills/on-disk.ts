import { constants, type Dirent, type Stats } from "node:fs";
import { lstat, open, readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
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
  NO_UTF8,
  type RootFolders,
  type SkillFolder,
  TOO_DEEP,
} from "./folder.ts";

const MAX_FOLDERS = 20_000;

/**
 * The folders of a collection that may be skills: those with a SKILL.md at any depth, and those right in it that
 * hold none anywhere. What is hidden and holds none is no skill, as it is the business of git or an editor.
 */
export async function collectionOnDisk(dir: string): Promise<RootFolders> {
  const found: Found = { looked: 0, deeper: 0, links: await linksTo(dir), problems: [] };
  const folders: SkillFolder[] = [];
  for (const name of await namesIn(dir)) {
    const at = path.join(dir, name);
    const told = found.problems.length;
    const inside = await skillFoldersBelow(at, 1, found);
    if (inside.length > 0) folders.push(...inside);
    else if (!name.startsWith(".") && found.problems.length === told)
      folders.push(
        await folderOnDisk(at, { deep: false }).catch((thrown) => unreadable(at, toError(thrown))),
      );
  }
  const here = await realpath(dir);
  for (const { at, target } of found.links) {
    if (isBelow(target, here)) continue;
    const message =
      "is a symbolic link out of the folder of skills, and is not followed; put the folder in its place";
    found.problems.push({ path: at, line: 1, message });
  }
  if (found.looked > MAX_FOLDERS) {
    const message = `holds more than the ${MAX_FOLDERS} folders that are looked at; others may be skills, so keep fewer there`;
    found.problems.push({ path: dir, line: 1, message });
  }
  return { folders, problems: found.problems };
}

/** A checkout in the shape of a commit, so that its skills are found as a commit's are. */
export async function filesOnDisk(checkout: string): Promise<TreeFiles> {
  const modules = await submodulesOf(checkout);
  const isOwn = (inside: string) => !modules.some((each) => inside.startsWith(`${each}/`));
  const moduleAt = (inside: string): TreeEntry => ({
    path: inside,
    mode: "160000",
    id: inside,
    size: 0,
  });
  const entryOf = async (inside: string): Promise<TreeEntry | null> => {
    if (modules.includes(inside)) return moduleAt(inside);
    const above = path.dirname(inside);
    const real = await unlessMissing(realpath(path.join(checkout, above)));
    // As in a commit, nothing stands at a path that goes through a link, or into a submodule.
    if (real !== path.join(await realpath(checkout), above) || !isOwn(inside)) return null;
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
      return [
        ...entries.map((each) => ({ ...each, path: at(each.path), id: at(each.path) })),
        ...modules.filter((each) => each.startsWith(at(""))).map(moduleAt),
      ].filter((each) => isOwn(each.path));
    },
    bytes: (id) => readInside(checkout, id),
  };
}

/** Where a checkout has submodules, fetched or not. */
async function submodulesOf(checkout: string): Promise<string[]> {
  const text = await unlessMissing(readFile(path.join(checkout, ".gitmodules"), "utf8"));
  const named = (text ?? "").matchAll(/^\s*path\s*=\s*"?(.+?)"?\s*$/gm);
  return [...named].map(([, at = ""]) => at);
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
  /** Folders in which a skill is too deep to count, and is told of. */
  deeper: number;
  /** Links to folders, beside skills. */
  links: { at: string; target: string }[];
  problems: RootFolders["problems"];
}

/** A folder with a SKILL.md, or else those below it; one that cannot be looked into is a problem, and hides no other. */
async function skillFoldersBelow(dir: string, depth: number, found: Found): Promise<SkillFolder[]> {
  const count = depth <= MAX_DEPTH ? "looked" : "deeper";
  found[count] += 1;
  if (found[count] > MAX_FOLDERS) return [];
  let inside: string[];
  try {
    const names = await readdir(dir);
    if (names.some(isSkillFile)) {
      if (depth <= MAX_DEPTH) return [await folderOnDisk(dir)];
      found.problems.push({ path: dir, line: 1, message: TOO_DEEP });
      return [];
    }
    if (depth <= MAX_DEPTH) found.links.push(...(await linksTo(dir)));
    inside = await namesIn(dir);
  } catch (thrown) {
    // Where no skill is looked for, nobody misses one.
    return depth <= MAX_DEPTH ? [unreadable(dir, toError(thrown))] : [];
  }
  const below: SkillFolder[] = [];
  for (const name of inside)
    below.push(...(await skillFoldersBelow(path.join(dir, name), depth + 1, found)));
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
function unreadable(dir: string, { message }: Error): SkillFolder {
  const why = path.basename(dir).includes(NO_UTF8)
    ? "its name is no UTF-8 text; rename it"
    : message.startsWith("ENAMETOOLONG")
      ? "a path in it is longer than the system takes; shorten the names of its folders"
      : `${message}; let the server's user read the folder`;
  return {
    name: path.basename(dir),
    path: dir,
    entries: [{ path: "SKILL.md", mode: "100644", size: 0 }],
    read: () => Promise.reject(new Error(why)),
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
    // There is no way to ask for what has such a name; whoever reads the entries tells of it.
    const isNamed = !found.name.includes(NO_UTF8);
    if (found.isDirectory() && isNamed) {
      if (deep && !(await walk(root, inside, list))) return false;
      continue;
    }
    if (entries.length === most) return false;
    const { mode, size } = isNamed ? await lstat(path.join(root, inside)) : { mode: 0, size: 0 };
    entries.push({ path: inside, mode: isNamed ? kindOf(found, mode) : "other", size });
  }
  return true;
}

function kindOf(found: Dirent | Stats, mode: number): FolderEntry["mode"] {
  if (found.isSymbolicLink()) return "120000";
  if (!found.isFile()) return "other";
  return (mode & 0o100) === 0 ? "100644" : "100755";
}
