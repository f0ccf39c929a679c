import { toError, UserError } from "../core/errors.ts";
import { codeSpan } from "../core/markdown.ts";
import { type Bundle, filesOf, readBundle, type SkillFolder, skillEntry } from "./folder.ts";
import { parseSkillText, type SkillText } from "./front-matter.ts";
import { collectionOnDisk } from "./on-disk.ts";

/** A skill of the Agent Skills format (agentskills.io), its text read and its files not yet. */
export interface Skill extends SkillText {
  /** Where its folder is, for people. */
  path: string;
  /** Reads all its files, with the digest that pins them. Throws UserError when its text is not what was loaded. */
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

/** Loads the skills in the folders of a directory of the server, at any depth. */
export async function loadSkills(dir: string): Promise<LoadedSkills> {
  const { folders, problems } = await collectionOnDisk(dir);
  const loaded = await loadFolders(folders);
  return { skills: loaded.skills, problems: [...loaded.problems, ...problems] };
}

/** Loads folders. A bad skill becomes problems and hides no other; of one name the later counts, and it is said. */
export async function loadFolders(folders: readonly SkillFolder[]): Promise<LoadedSkills> {
  const skills = new Map<string, Skill>();
  const problems: SkillProblem[] = [];
  for (const folder of folders) {
    const skill = await loadFolder(folder).catch((thrown: unknown) => [
      { path: folder.path, line: 1, message: `cannot be read: ${toError(thrown).message}` },
    ]);
    if (Array.isArray(skill)) {
      problems.push(...skill);
      continue;
    }
    const before = skills.get(skill.name);
    if (before) problems.push(twice(before, skill));
    skills.set(skill.name, skill);
  }
  return { skills: [...skills.values()], problems };
}

/** What is to be known of a skill that another one of its name stands in place of. */
export function twice(before: Skill, instead: Skill): SkillProblem {
  const message = `is not used: ${instead.path} has the same name and counts before it; keep one of them`;
  return { path: before.path, line: 1, message };
}

/** One skill, or what is wrong with it. */
export async function loadFolder(folder: SkillFolder): Promise<Skill | SkillProblem[]> {
  const at = (inside: string) => (inside === "" ? folder.path : `${folder.path}/${inside}`);
  const { files, problems: flaws } = await filesOf(folder);
  const problems: SkillProblem[] = flaws.map(({ path: inside, message }) => ({
    path: at(inside),
    line: 1,
    message,
  }));
  const entry = skillEntry(folder.entries ?? []);
  const text = files.find(({ path }) => path === entry?.path)?.target;
  if (entry === undefined || text === undefined) return problems;
  const bytes = await folder.read(text);
  const parsed = parseSkillText(folder.name, bytes);
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
  return {
    ...parsed.skill,
    path: folder.path,
    async bundle() {
      const bundle = await readBundle(folder, files);
      const now = bundle.files.find(({ path }) => path === entry.path)?.bytes;
      // What a job is told, and what its digest and files are, must be one and the same.
      if (now === undefined || Buffer.compare(now, bytes) !== 0)
        throw new UserError(
          `the skill ${codeSpan(folder.name)} is another since this server started; start the server again to use it, or ask with \`--skill none\``,
        );
      return bundle;
    },
  };
}
