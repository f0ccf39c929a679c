import { constants } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { type FolderEntry, MAX_FILES, type SkillFolder } from "./folder.ts";

/** The folders of a directory of the server, in order; links among them are not followed. */
export async function foldersOnDisk(dir: string): Promise<SkillFolder[]> {
  const found = await readdir(dir, { withFileTypes: true });
  const names = found.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(names.sort().map((name) => folderOnDisk(path.join(dir, name))));
}

/** One folder of the server as it stands. */
export async function folderOnDisk(dir: string): Promise<SkillFolder> {
  const entries: FolderEntry[] = [];
  const whole = await walk(dir, "", entries);
  return {
    name: path.basename(dir),
    path: dir,
    entries: whole ? entries : null,
    async read({ path: inside, mode }) {
      const file = path.join(dir, inside);
      if (mode === "120000") return Buffer.from(await readlink(file));
      // What became a link since it was listed is not followed.
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        return await handle.readFile();
      } finally {
        await handle.close();
      }
    },
  };
}

/** Lists a folder and what is below; false when there is too much. */
async function walk(root: string, below: string, entries: FolderEntry[]): Promise<boolean> {
  for (const found of await readdir(path.join(root, below), { withFileTypes: true })) {
    // A checkout's own history is no part of a skill.
    if (found.name === ".git") continue;
    const inside = below === "" ? found.name : `${below}/${found.name}`;
    if (found.isDirectory()) {
      if (inside.split("/").length > 32 || !(await walk(root, inside, entries))) return false;
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
