import { toError } from "../core/errors.ts";
import { type Bundle, folderProblems, readBundle, type SkillFolder, skillEntry } from "./folder.ts";
import { parseSkillText, type SkillText } from "./front-matter.ts";
import { foldersOnDisk } from "./on-disk.ts";

/** A skill of the Agent Skills format (agentskills.io), its text read and its files not yet. */
export interface Skill extends SkillText {
  /** Where its folder is, for people. */
  path: string;
  /** Reads all its files, with the digest that pins them. */
  bundle(): Promise<Bundle>;
}

/** Why the skill at `path` is left out, or what else is to be known of it. */
export interface SkillProblem {
  /** Of the file or folder it is about. */
  path: string;
  /** 1-based. */
  line: number;
  message: string;
}

/** Skills by name, and why others are left out. */
export interface LoadedSkills {
  skills: Skill[];
  problems: SkillProblem[];
}

/** Loads the skills in the folders of a directory of the server. */
export async function loadSkills(dir: string): Promise<LoadedSkills> {
  return loadFolders(await foldersOnDisk(dir));
}

/** Loads folders, by name. A bad skill becomes problems and hides no other. */
export async function loadFolders(folders: readonly SkillFolder[]): Promise<LoadedSkills> {
  const loaded: LoadedSkills = { skills: [], problems: [] };
  for (const folder of folders) {
    const skill = await loadFolder(folder).catch((thrown: unknown) => [
      { path: folder.path, line: 1, message: `cannot be read: ${toError(thrown).message}` },
    ]);
    if (Array.isArray(skill)) loaded.problems.push(...skill);
    else loaded.skills.push(skill);
  }
  return loaded;
}

/** One skill, or what is wrong with it. */
export async function loadFolder(folder: SkillFolder): Promise<Skill | SkillProblem[]> {
  const at = (inside: string) => (inside === "" ? folder.path : `${folder.path}/${inside}`);
  const problems: SkillProblem[] = (await folderProblems(folder)).map(({ path, message }) => ({
    path: at(path),
    line: 1,
    message,
  }));
  const entry = skillEntry(folder.entries ?? []);
  if (entry === undefined || (problems.length > 0 && problems[0]?.path === at(entry.path)))
    return problems;
  if (entry.mode === "120000" || entry.mode === "other") {
    return [...problems, { path: at(entry.path), line: 1, message: "must be a plain file" }];
  }
  const parsed = parseSkillText(folder.name, await folder.read(entry));
  if (!parsed.ok) {
    problems.push(...parsed.problems.map((problem) => ({ path: at(entry.path), ...problem })));
    return problems;
  }
  const { scripts } = parsed.skill.manifest;
  const missing = Array.isArray(scripts)
    ? scripts.filter((script) => !folder.entries?.some(({ path }) => path === script))
    : [];
  for (const script of missing) {
    const message = `metadata.draftsmith-scripts names ${JSON.stringify(script)}, which is no file of the skill; mend the path`;
    problems.push({ path: at(entry.path), line: 1, message });
  }
  if (problems.length > 0) return problems;
  return { ...parsed.skill, path: folder.path, bundle: () => readBundle(folder) };
}
