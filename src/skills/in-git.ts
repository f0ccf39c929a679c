import type { TreeEntry, TreeFiles } from "../core/ports.ts";
import {
  type FolderEntry,
  isSkillFile,
  MAX_DEPTH,
  MAX_FILES,
  MAX_SKILL_BYTES,
  NO_UTF8,
  type RootFolders,
  type SkillFolder,
  TOO_DEEP,
} from "./folder.ts";
import { placeInTree } from "./place-in-tree.ts";

/** Where repositories keep skills; of one name the one in the later folder counts. */
export const ROOTS = [".agents/skills", ".codex/skills", ".claude/skills", ".github/skills"];
/** Where collections keep theirs. */
export const PLAIN_ROOT = "skills";
/** In an organisation's `.github` repository a plain `skills` folder counts as well, before the others. */
export const ORGANISATION_ROOTS = [PLAIN_ROOT, ...ROOTS];

/**
 * Folders of one root whose skills are read for every job: each costs a few milliseconds and, in a hostile
 * repository, a megabyte. Those that a task names are read wherever they stand.
 */
const MAX_FOLDERS = 1_000;
/** Bytes of all their SKILL.md, which are in memory as long as a job is. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;
/** Files below one root that are listed, and as many again behind its links. */
const MAX_LISTED = 20_000;
/** Links in the places of folders that are followed. */
const MAX_LINKS = 50;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * The folders below some roots of a commit that may be skills, those that count least first: from git's objects,
 * never from a checkout. A link counts as the folder of the same commit that it leads to, and a folder that is
 * reached in several ways is one. What `isNamed` takes is among them, however many there are.
 */
export async function foldersInGit(
  files: TreeFiles,
  roots: readonly string[] = ROOTS,
  isNamed: (name: string) => boolean = () => false,
): Promise<RootFolders> {
  const problems: RootFolders["problems"] = [];
  const tell = (path: string, message: string) => void problems.push({ path, line: 1, message });
  const how = { tell, isNamed };
  const scans = new Map<string, Scan>();
  for (const root of roots) {
    const place = await placeInTree(files, root);
    if (place.kind === "broken") tell(root, `is a symbolic link that ${place.why}; mend it`);
    if (place.kind === "submodule") tell(root, submoduleText(root, place.path));
    if (place.kind !== "folder" || scans.has(place.path)) continue;
    // What another root leads to counts where it stands itself.
    if (place.path !== root && roots.includes(place.path)) continue;
    scans.set(place.path, scanOf(place.path, await files.entries(place.path, MAX_LISTED), how));
  }
  const folders: SkillFolder[] = [];
  const real = new Set([...scans.values()].flatMap((scan) => [...scan.folders.keys()]));
  const linked = new Set<string>();
  for (const scan of scans.values()) {
    for (const [path, entries] of scan.folders)
      folders.push(folderOf(files, { name: nameOf(path), path, entries }));
    folders.push(...(await followed(files, scan, { ...how, scans, real, linked })));
  }
  return { folders, problems };
}

/** What was found so far: places that were looked at, skills that stand there, and those behind links by name. */
interface Found extends How {
  scans: ReadonlyMap<string, Scan>;
  real: ReadonlySet<string>;
  linked: Set<string>;
}

/** Folders that the links of a place lead to, and links in these; those found already are left out. */
async function followed(
  files: TreeFiles,
  { place, links }: Scan,
  { scans, real, linked, tell, isNamed }: Found,
): Promise<SkillFolder[]> {
  const folders: SkillFolder[] = [];
  const asked = (link: string) => isNamed(nameOf(link));
  const left = [...links.filter(asked), ...links.filter((link) => !asked(link))];
  let room = MAX_LISTED;
  for (let count = 1; left.length > 0; count += 1) {
    const link = left.shift() ?? "";
    if (count > MAX_LINKS) {
      tell(
        place,
        `holds more than ${MAX_LINKS} symbolic links; ${link} and others are not followed`,
      );
      break;
    }
    const target = await placeInTree(files, link);
    if (target.kind === "broken") tell(link, `is a symbolic link that ${target.why}; mend it`);
    if (target.kind === "submodule") tell(link, submoduleText(link, target.path));
    if (target.kind !== "folder" || scans.has(target.path) || real.has(target.path)) continue;
    const key = `${nameOf(link)}\0${target.path}`;
    if (linked.has(key)) continue;
    linked.add(key);
    if (target.path === "" || link.startsWith(`${target.path}/`)) {
      tell(link, "is a symbolic link to a folder that it lies in itself; remove it");
      continue;
    }
    const entries = await files.entries(target.path, room);
    room -= entries?.length ?? 0;
    const behind = scanOf(target.path, entries, { tell, isNamed }, true);
    for (const [path, inside] of behind.folders) {
      const name = path === target.path ? nameOf(link) : nameOf(path);
      const same = `${name}\0${path}`;
      if (real.has(path) || (path !== target.path && linked.has(same))) continue;
      linked.add(same);
      folders.push(folderOf(files, { name, path, entries: inside }));
    }
    left.push(...behind.links);
  }
  return folders;
}

/** Whom to tell what is wrong, and which names of skills a task holds. */
interface How {
  tell: (path: string, message: string) => void;
  isNamed: (name: string) => boolean;
}

/** Why nothing is read where a submodule stands, or stands on the way. */
function submoduleText(path: string, module: string): string {
  const what = path === module ? "is a submodule" : `leads to the submodule ${module}`;
  return `${what}, whose files are no part of this repository; put the folder itself in its place`;
}

/** What one place holds: folders that may be skills, by their paths in order, and links in the places of such. */
interface Scan {
  place: string;
  folders: Map<string, TreeEntry[]>;
  links: string[];
}

/** Sorts what is below a place; `whole` when it may be a skill itself. */
function scanOf(
  place: string,
  entries: readonly TreeEntry[] | null,
  { tell, isNamed }: How,
  whole = false,
): Scan {
  const scan: Scan = { place, folders: new Map(), links: [] };
  if (entries === null) {
    const most = `${MAX_LISTED} files that are listed of a root, and again of what its links lead to`;
    tell(place, `holds more than the ${most}; none of its skills is read, so keep fewer there`);
    return scan;
  }
  const skills = new Set(
    entries.filter(({ path }) => isSkillFile(nameOf(path))).map(({ path }) => parentOf(path)),
  );
  const found = new Map<string, TreeEntry[]>();
  const others = new Map<string, TreeEntry[]>();
  for (const entry of entries) {
    const names = entry.path.slice(place.length + 1).split("/");
    const above = names.slice(0, -1).slice(0, MAX_DEPTH);
    const steps = above.map((_, at) => `${place}/${above.slice(0, at + 1).join("/")}`);
    const owner = whole && skills.has(place) ? place : steps.find((step) => skills.has(step));
    // What a package manager put there is nobody's skill; in a skill it is a part of it.
    if ((owner?.slice(place.length) ?? above.join("/")).split("/").includes("node_modules"))
      continue;
    const isPart = owner !== undefined;
    if (!isPart && names.length <= MAX_DEPTH && entry.mode === "160000") {
      tell(entry.path, submoduleText(entry.path, entry.path));
      continue;
    }
    // On disk nobody can look into a folder of such a name.
    if (!isPart && entry.mode === "other" && nameOf(entry.path).includes(NO_UTF8))
      tell(entry.path, "has a name that is no UTF-8 text; rename it");
    if (isPart) add(found, owner, entry);
    else if (entry.mode === "120000" && names.length <= MAX_DEPTH) scan.links.push(entry.path);
    if (!isPart && steps[0] !== undefined) add(others, steps[0], entry);
  }
  const topOf = (path: string) => `${place}/${path.slice(place.length + 1).split("/", 1)[0]}`;
  const groups = new Set([...found.keys(), ...scan.links].map(topOf));
  for (const [path, inside] of others) {
    // A group of skills, or of links to some, is no skill that lacks its file.
    if (!groups.has(path) && !whole) found.set(path, inside);
    for (const deep of inside.map((each) => each.path)) {
      const isDeep = isSkillFile(nameOf(deep)) && !deep.split("/").includes("node_modules");
      if (isDeep && (groups.has(path) || whole)) tell(parentOf(deep), TOO_DEEP);
    }
  }
  // Somebody means a skill by a link to a folder in which there is none at all.
  if (whole && found.size === 0 && scan.links.length === 0) found.set(place, [...entries]);
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  let room = MAX_TEXT_BYTES;
  const end = sorted.findIndex(([path, inside], at) => {
    room -= textSize(path, inside);
    return at === MAX_FOLDERS || room < 0;
  });
  if (end !== -1) {
    const most =
      end === MAX_FOLDERS
        ? `more than the ${MAX_FOLDERS} whose skills are read`
        : `with more than the ${MAX_TEXT_BYTES} bytes of SKILL.md that are read`;
    const last = nameOf(sorted[end - 1]?.[0] ?? "");
    tell(
      place,
      `holds ${sorted.length} folders, ${most}; those after ${last} are read only where a task names them`,
    );
  }
  const read = sorted.filter(([path], at) => end === -1 || at < end || isNamed(nameOf(path)));
  return { ...scan, folders: new Map(read) };
}

/** Bytes of the SKILL.md of a folder; as a link it may lead to as many as there may be. */
function textSize(path: string, inside: readonly TreeEntry[]): number {
  const text = inside.find(
    (each) => parentOf(each.path) === path && isSkillFile(nameOf(each.path)),
  );
  if (text?.mode === "120000") return MAX_SKILL_BYTES;
  return text === undefined || text.size > MAX_SKILL_BYTES ? 0 : text.size;
}

function add(found: Map<string, TreeEntry[]>, path: string, entry: TreeEntry): void {
  const inside = found.get(path) ?? [];
  inside.push(entry);
  found.set(path, inside);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function folderOf(
  files: TreeFiles,
  { name, path, entries }: { name: string; path: string; entries: readonly TreeEntry[] },
): SkillFolder {
  const ids = new Map<string, string>();
  const below = entries.map((entry): FolderEntry => {
    const inside = entry.path.slice(path.length + 1);
    ids.set(inside, entry.id);
    return { path: inside, mode: modeOf(entry.mode), size: entry.size };
  });
  return {
    name,
    path,
    entries: entries.length > MAX_FILES ? null : below,
    read: (entry) => files.bytes(ids.get(entry.path) ?? "", MAX_FILE_BYTES),
  };
}

function modeOf(mode: string): FolderEntry["mode"] {
  if (mode === "100755" || mode === "120000") return mode;
  // Git once wrote files that a group may write, too.
  return mode === "100644" || mode === "100664" ? "100644" : "other";
}
