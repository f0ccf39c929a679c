import { createHash } from "node:crypto";
import { UserError } from "../core/errors.ts";
import { codeSpan } from "../core/markdown.ts";
import type { SkillFile } from "../core/skill.ts";

/** Something in a folder of a skill, before it is read. */
export interface FolderEntry {
  /** Relative to the folder, with slashes. */
  path: string;
  /** As git has it: a file, an executable, a symbolic link, or what no bundle holds. */
  mode: "100644" | "100755" | "120000" | "other";
  /** In bytes; of a link, of its target's text. */
  size: number;
}

/** A folder that may be a skill, on disk or in a commit. */
export interface SkillFolder {
  name: string;
  /** Where it is, for people. */
  path: string;
  /** Everything in it, at any depth; null when there is more than a skill may have. */
  entries: FolderEntry[] | null;
  read(entry: FolderEntry): Promise<Uint8Array>;
}

/** What roots hold: its folders in order, and why one of them, or of its folders, is not looked at. */
export interface RootFolders {
  folders: SkillFolder[];
  problems: { path: string; line: number; message: string }[];
}

/** What stands in a name in the place of bytes that are no UTF-8. */
export const NO_UTF8 = "\uFFFD";
/** What is told of a skill deeper than that. */
export const TOO_DEEP =
  "is not read: skills are looked for in at most five folders below one another; move it up";
/** Folders below one another in which skills are looked for. */
export const MAX_DEPTH = 5;
/** The format gives no bounds; these are far above what skills need, and keep a hostile one from filling a disk. */
export const MAX_FILES = 2_000;
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;
/** The specification recommends 500 lines. */
export const MAX_SKILL_BYTES = 1024 * 1024;
/** Links of one skill, and how many of them may follow one another. */
const MAX_LINKS = 50;
const MAX_HOPS = 8;

/** A file of a bundle; where it is a link, with the path of the file it leads to, else with its own. */
export interface BundleFile extends SkillFile {
  target: string;
}

/** All files of a skill as they are read for a job. */
export interface Bundle {
  files: BundleFile[];
  /** SHA-256 over modes, contents and paths of all files, in hex. */
  digest: string;
}

/** The file that makes a folder a skill; the reference implementation takes it in lower case, too. */
export function skillEntry(entries: readonly FolderEntry[]): FolderEntry | undefined {
  const named = (name: string) => entries.find(({ path }) => path === name);
  return named("SKILL.md") ?? named("skill.md");
}

/** Whether a file of that name makes its folder a skill. */
export function isSkillFile(name: string): boolean {
  return name === "SKILL.md" || name === "skill.md";
}

/** Why a folder has no SKILL.md, as far as its files tell. */
function missingText(entries: readonly FolderEntry[]): string {
  const near = misspelled(entries);
  if (near !== undefined) return `is missing; rename ${JSON.stringify(near.path)} to it`;
  return holdsSkills(entries)
    ? "is missing; skills are looked for in at most five folders below one another, so move those below this one up"
    : "is missing";
}

function misspelled(entries: readonly FolderEntry[]): FolderEntry | undefined {
  return entries.find(({ path }) => /^skills?\.(md|markdown|mdx|txt)$/i.test(path));
}

/** Whether nothing in a folder says that it is meant to be a skill. */
export function isOtherFolder({ entries }: SkillFolder): boolean {
  return entries !== null && !skillEntry(entries) && !misspelled(entries) && !holdsSkills(entries);
}

function holdsSkills(entries: readonly FolderEntry[]): boolean {
  return entries.some(({ path }) => /\/SKILL\.md$/i.test(path));
}

/** A file of a skill: where it stands, and the plain file that it is in the end. */
export interface ResolvedFile {
  path: string;
  target: FolderEntry;
}

/** The files of a folder with its links followed, and what is wrong with them, each by its path in it. */
export interface FolderFiles {
  files: ResolvedFile[];
  problems: { path: string; message: string }[];
}

/** Follows the links of a folder and says what is wrong with its files; the text of SKILL.md is another matter. */
export async function filesOf(folder: SkillFolder): Promise<FolderFiles> {
  const { entries } = folder;
  const only = (path: string, message: string) => ({ files: [], problems: [{ path, message }] });
  if (entries === null)
    return only("", `holds more than ${MAX_FILES} files; keep what the skill needs`);
  const main = skillEntry(entries);
  if (main === undefined) return only("SKILL.md", missingText(entries));
  const links = entries.filter(({ mode }) => mode === "120000").length;
  if (links > MAX_LINKS)
    return only(
      "",
      `holds ${links} symbolic links, more than ${MAX_LINKS}; put files in their place`,
    );
  const files: ResolvedFile[] = [];
  const problems: FolderFiles["problems"] = [];
  const leadsTo = linksOf(folder, entries);
  for (const entry of entries) {
    const target = await leadsTo(entry);
    // What is no UTF-8 was read with this sign in its place, and could be two files by one name.
    if (entry.path.includes(NO_UTF8))
      problems.push({ path: entry.path, message: "has a name that is no UTF-8 text; rename it" });
    else if (entry.mode === "other")
      problems.push({ path: entry.path, message: "is neither a file nor a folder; remove it" });
    else if (target === null || target.mode === "other")
      problems.push({
        path: entry.path,
        message:
          "is a symbolic link that leads to no file of this skill; put the file in its place",
      });
    else files.push({ path: entry.path, target });
  }
  const text = files.find(({ path }) => path === main.path)?.target;
  if (text !== undefined && text.size > MAX_SKILL_BYTES)
    return only(
      main.path,
      `has ${text.size} bytes, more than ${MAX_SKILL_BYTES}; move what is read on demand to references/`,
    );
  // A job gets the file itself wherever a link leads to it.
  const size = files.reduce((sum, { target }) => sum + target.size, 0);
  if (size > MAX_BUNDLE_BYTES)
    problems.unshift({
      path: "",
      message: `has ${size} bytes with what its links lead to, more than ${MAX_BUNDLE_BYTES}; keep what the skill needs`,
    });
  return { files, problems };
}

/** Reads all files of a sound folder, each once; links stand as the files they lead to. Throws UserError when they grew. */
export async function readBundle(
  folder: SkillFolder,
  resolved: readonly ResolvedFile[],
): Promise<Bundle> {
  const read = new Map<string, Uint8Array>();
  const files: BundleFile[] = [];
  let size = 0;
  for (const { path, target } of resolved) {
    const bytes = read.get(target.path) ?? (await folder.read(target));
    read.set(target.path, bytes);
    size += bytes.byteLength;
    // A folder of the server may have grown since it was looked at.
    if (size > MAX_BUNDLE_BYTES)
      throw new UserError(
        `the skill ${codeSpan(folder.name)} has more than ${MAX_BUNDLE_BYTES} bytes by now; keep what it needs`,
      );
    const mode = target.mode === "100755" ? "100755" : "100644";
    files.push({ path, target: target.path, mode, bytes });
  }
  files.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const whole = createHash("sha256");
  for (const { path, mode, bytes } of files) {
    const content = createHash("sha256").update(bytes).digest("hex");
    whole.update(`${mode} ${content} ${path}\0`);
  }
  return { files, digest: whole.digest("hex") };
}

/** Finds the file that an entry is in the end, reading each link once; null when its link leads elsewhere. */
function linksOf(
  folder: SkillFolder,
  entries: readonly FolderEntry[],
): (entry: FolderEntry) => Promise<FolderEntry | null> {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const next = new Map<string, FolderEntry | undefined>();
  return async (entry) => {
    let here: FolderEntry | undefined = entry;
    for (let hops = 0; here?.mode === "120000"; hops += 1) {
      if (hops === MAX_HOPS || here.size > 4096) return null;
      if (!next.has(here.path)) {
        const target = linkTarget(here.path, Buffer.from(await folder.read(here)).toString());
        next.set(here.path, target === null ? undefined : byPath.get(target));
      }
      here = next.get(here.path);
    }
    return here ?? null;
  };
}

/** The path that the text of a link names, with slashes, below where its own path begins; null outside. */
function linkTarget(link: string, target: string): string | null {
  if (target.startsWith("/") || target.includes("\0")) return null;
  const names = link.split("/").slice(0, -1);
  for (const name of target.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.pop() === undefined) return null;
  }
  return names.join("/");
}
