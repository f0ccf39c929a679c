import { constants } from "node:fs";
import { lstat, open, readdir, readlink, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { toError, UserError } from "../core/errors.ts";
import { codeSpan } from "../core/markdown.ts";
import { type FolderEntry, MAX_BUNDLE_BYTES, MAX_FILES, type SkillFolder } from "./folder.ts";

/** Folders below one another in which skills are looked for. */
const MAX_DEPTH = 5;
const MAX_FOLDERS = 20_000;

/** The folders of a directory of the server, in order; links among them are not followed. */
export async function foldersOnDisk(dir: string): Promise<SkillFolder[]> {
  return Promise.all((await namesIn(dir)).map((name) => folderOnDisk(path.join(dir, name))));
}

/**
 * The folders of a collection that may be skills: those with a SKILL.md at any depth, and those right in it that
 * hold none anywhere. What is hidden and holds none is no skill, as it is the business of git or an editor.
 */
export async function collectionOnDisk(dir: string): Promise<SkillFolder[]> {
  const count = { folders: 0 };
  const found: SkillFolder[] = [];
  for (const name of await namesIn(dir)) {
    const inside = await skillFoldersBelow(path.join(dir, name), 1, count).catch(
      (thrown: unknown) => [unreadable(path.join(dir, name), toError(thrown))],
    );
    if (inside.length > 0) found.push(...inside);
    else if (!name.startsWith("."))
      found.push(await folderOnDisk(path.join(dir, name), { deep: false }));
  }
  return found;
}

/** Links to folders outside a directory, by name: a skill behind one is not read. */
export async function linksOut(dir: string): Promise<string[]> {
  const here = await realpath(dir);
  const links = await linksTo(dir);
  return links.filter(({ target }) => !isBelow(target, here)).map(({ name }) => name);
}

/** Folders of a checkout that links in one of its roots lead to, as a commit's are read, but for those in `roots`. */
export async function linkedFolders(
  checkout: string,
  { root, roots }: { root: string; roots: readonly string[] },
): Promise<SkillFolder[]> {
  const here = await realpath(checkout);
  const links = await linksTo(path.join(checkout, root));
  return Promise.all(
    links
      .filter(({ target }) => isBelow(target, here))
      .filter(({ target }) => !roots.includes(path.relative(here, path.dirname(target))))
      .map(({ name, target }) => folderOnDisk(target, { name })),
  );
}

/** Links in a directory that lead to folders, wherever those are. */
async function linksTo(dir: string): Promise<{ name: string; target: string }[]> {
  const found = await readdir(dir, { withFileTypes: true });
  const names = found.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
  const links: { name: string; target: string }[] = [];
  for (const name of names.sort()) {
    const target = await unlessMissing(realpath(path.join(dir, name)));
    if (target !== null && (await stat(target)).isDirectory()) links.push({ name, target });
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

/** A folder with a SKILL.md, or else those below it. */
async function skillFoldersBelow(
  dir: string,
  depth: number,
  count: { folders: number },
): Promise<SkillFolder[]> {
  count.folders += 1;
  const names = await readdir(dir);
  if (names.some((name) => /^(SKILL|skill)\.md$/.test(name))) return [await folderOnDisk(dir)];
  const found: SkillFolder[] = [];
  if (depth === MAX_DEPTH) return found;
  for (const name of await namesIn(dir)) {
    if (count.folders >= MAX_FOLDERS) break;
    found.push(...(await skillFoldersBelow(path.join(dir, name), depth + 1, count)));
  }
  return found;
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

/** A folder that cannot be looked into: its skill is a problem, and hides no other. */
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
  const whole = await walk(dir, "", { entries, deep });
  return {
    name,
    path: dir,
    entries: whole ? entries : null,
    async read({ path: inside, mode }) {
      const file = path.join(dir, inside);
      if (mode === "120000") return Buffer.from(await readlink(file));
      // What became a link since it was listed is not followed.
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(explained);
      try {
        if ((await handle.stat()).size > MAX_BUNDLE_BYTES)
          throw new UserError(`${codeSpan(inside)} of a skill is too large by now`);
        return await handle.readFile();
      } finally {
        await handle.close();
      }
    },
  };
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
  list: { entries: FolderEntry[]; deep: boolean },
): Promise<boolean> {
  const { entries, deep } = list;
  for (const found of await readdir(path.join(root, below), { withFileTypes: true })) {
    // A checkout's own history is no part of a skill.
    if (found.name === ".git") continue;
    const inside = below === "" ? found.name : `${below}/${found.name}`;
    if (found.isDirectory()) {
      if (!deep) continue;
      if (inside.split("/").length > 32 || !(await walk(root, inside, list))) return false;
      continue;
    }
    if (entries.length === MAX_FILES) return false;
    const { mode, size } = await lstat(path.join(root, inside));
    const kind = found.isSymbolicLink() ? "120000" : found.isFile() ? fileMode(mode) : "other";
    entries.push({ path: inside, mode: kind, size });
  }
  return true;
}

function fileMode(mode: number): "100644" | "100755" {
  return (mode & 0o100) === 0 ? "100644" : "100755";
}
