import { createHash } from "node:crypto";
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

/** The format gives no bounds; these are far above what skills need, and keep a hostile one from filling a disk. */
export const MAX_FILES = 2_000;
const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;
/** The specification recommends 500 lines. */
const MAX_SKILL_BYTES = 1024 * 1024;
const MAX_LINKS = 8;

/** A bundle as a job gets it. */
export interface Bundle {
  files: SkillFile[];
  /** SHA-256 over modes, contents and paths of all files, in hex. */
  digest: string;
}

/** The file that makes a folder a skill; the reference implementation takes it in lower case, too. */
export function skillEntry(entries: readonly FolderEntry[]): FolderEntry | undefined {
  const named = (name: string) => entries.find(({ path }) => path === name);
  return named("SKILL.md") ?? named("skill.md");
}

/** What is wrong with the files of a folder, each by its path in it; the text of SKILL.md is another matter. */
export async function folderProblems(
  folder: SkillFolder,
): Promise<{ path: string; message: string }[]> {
  const { entries } = folder;
  if (entries === null) {
    return [{ path: "", message: `holds more than ${MAX_FILES} files; keep what the skill needs` }];
  }
  const problems: { path: string; message: string }[] = [];
  const main = skillEntry(entries);
  if (main === undefined) return [{ path: "SKILL.md", message: "is missing" }];
  if (main.size > MAX_SKILL_BYTES) {
    const message = `has ${main.size} bytes, more than ${MAX_SKILL_BYTES}; move what is read on demand to references/`;
    return [{ path: main.path, message }];
  }
  const size = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (size > MAX_BUNDLE_BYTES) {
    problems.push({
      path: "",
      message: `has ${size} bytes, more than ${MAX_BUNDLE_BYTES}; keep what the skill needs`,
    });
  }
  for (const entry of entries) {
    if (entry.mode === "other")
      problems.push({ path: entry.path, message: "is neither a file nor a folder; remove it" });
    if (entry.mode === "120000" && (await leadsTo(folder, entry)) === null)
      problems.push({
        path: entry.path,
        message:
          "is a symbolic link that leads to no file of this skill; put the file in its place",
      });
  }
  return problems;
}

/** All files of a sound folder, links as the files they lead to. */
export async function readBundle(folder: SkillFolder): Promise<Bundle> {
  const files: SkillFile[] = [];
  for (const entry of folder.entries ?? []) {
    const target = await leadsTo(folder, entry);
    if (target === null || target.mode === "120000" || target.mode === "other")
      throw new Error(`${folder.path}/${entry.path} is no file of a skill`);
    files.push({ path: entry.path, mode: target.mode, bytes: await folder.read(target) });
  }
  files.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const whole = createHash("sha256");
  for (const { path, mode, bytes } of files) {
    const content = createHash("sha256").update(bytes).digest("hex");
    whole.update(`${mode} ${content} ${path}\0`);
  }
  return { files, digest: whole.digest("hex") };
}

/** The file that an entry is in the end; null when its link leads elsewhere. */
async function leadsTo(folder: SkillFolder, entry: FolderEntry): Promise<FolderEntry | null> {
  let here: FolderEntry | undefined = entry;
  for (let hops = 0; here?.mode === "120000"; hops += 1) {
    if (hops === MAX_LINKS || here.size > 4096) return null;
    const target = Buffer.from(await folder.read(here)).toString();
    const next = joined(here.path, target);
    here = next === null ? undefined : folder.entries?.find(({ path }) => path === next);
  }
  return here ?? null;
}

/** The path that a link's target names in the same folder; null outside it. */
function joined(link: string, target: string): string | null {
  if (target.startsWith("/") || target.includes("\0")) return null;
  const names = link.split("/").slice(0, -1);
  for (const name of target.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.pop() === undefined) return null;
  }
  return names.join("/");
}
