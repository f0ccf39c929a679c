import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { toError } from "../core/errors.ts";
import { spelt } from "../core/messages/words.ts";
import type { Catalogue } from "./catalogue.ts";
import { isOtherFolder, isSkillFile, type RootFolders } from "./folder.ts";
import { foldersInGit, ORGANISATION_ROOTS, PLAIN_ROOT, ROOTS } from "./in-git.ts";
import { loadFolder, type Skill, type SkillProblem, twice } from "./load.ts";
import { collectionOnDisk, filesOnDisk, folderOnDisk } from "./on-disk.ts";

/** What a look at skills found: lines for a person, and whether each skill can be used. */
export interface LintReport {
  ok: boolean;
  /** How many skills can be used. */
  good: number;
  lines: string[];
}

/**
 * Looks at a skill, a folder of skills, or a checkout with skills in the places where repositories keep
 * them. Each problem is a line `path:line: problem`; notes on skills that can be used say so.
 */
export async function lintSkills(target: string): Promise<LintReport> {
  const report: LintReport = { ok: true, good: 0, lines: [] };
  const tell = ({ path: at, line, message }: SkillProblem) => {
    report.ok = false;
    report.lines.push(`${at}:${line}: ${message}`);
  };
  // A collection has folders of other kinds beside its skills, so they are mistakes only where there is no skill.
  const others: SkillProblem[] = [];
  try {
    const byName = new Map<string, Skill>();
    const { folders, problems } = await foldersAt(target);
    problems.forEach(tell);
    for (const folder of folders) {
      const loaded = await loadFolder(folder).catch((thrown: unknown) => [
        { path: folder.path, line: 1, message: `cannot be read: ${toError(thrown).message}` },
      ]);
      if (Array.isArray(loaded) && isOtherFolder(folder)) {
        others.push(...loaded);
        continue;
      }
      if (Array.isArray(loaded)) {
        loaded.forEach(tell);
        continue;
      }
      const before = byName.get(loaded.name);
      if (before) {
        const { path: at, line, message } = twice(before, loaded);
        report.lines.push(`${at}:${line}: note: ${message}`);
      }
      byName.set(loaded.name, loaded);
      report.good += 1;
      if (loaded.stripped.length > 0) {
        const what = loaded.stripped.join(", ");
        report.lines.push(
          `${loaded.path}/SKILL.md:1: note: agents do not read what people do not see: ${what}`,
        );
      }
    }
  } catch (thrown) {
    tell({ path: target, line: 1, message: `cannot be read: ${toError(thrown).message}` });
  }
  if (report.good === 0) others.forEach(tell);
  if (report.ok && report.good === 0)
    tell({ path: target, line: 1, message: "holds no skill; a skill is a folder with a SKILL.md" });
  return { ...report, lines: report.lines.map(printed) };
}

async function foldersAt(target: string): Promise<RootFolders> {
  const names = await readdir(target);
  if (names.some(isSkillFile))
    return { folders: [await folderOnDisk(path.resolve(target))], problems: [] };
  // In an organisation's own repository a plain folder `skills` is read as the others are; elsewhere it is a collection.
  const isHome = path.basename(path.resolve(target)) === ".github";
  const plain: RootFolders =
    !isHome && (await isFolder(path.join(target, PLAIN_ROOT)))
      ? await collectionOnDisk(path.join(target, PLAIN_ROOT))
      : { folders: [], problems: [] };
  const found = await foldersInGit(
    await filesOnDisk(target),
    isHome ? ORGANISATION_ROOTS : ROOTS,
    () => true,
  );
  const at = (inside: string) => path.join(target, inside);
  const folders = [
    ...plain.folders,
    ...found.folders.map((each) => ({ ...each, path: at(each.path) })),
  ];
  const problems = [
    ...plain.problems,
    ...found.problems.map((each) => ({ ...each, path: at(each.path) })),
  ];
  return folders.length + problems.length > 0
    ? { folders, problems }
    : await collectionOnDisk(target);
}

async function isFolder(at: string): Promise<boolean> {
  const found = await stat(at).catch((thrown: unknown) => toError(thrown));
  // What is not there is no folder; what cannot be looked at is for its reader to tell of.
  return found instanceof Error ? !/^(ENOENT|ENOTDIR)/.test(found.message) : found.isDirectory();
}

/** The skills of a catalogue, a line each: name, source and what it is for; then what was left out and why. */
export function listSkills({ skills, problems }: Catalogue): string[] {
  return [
    ...skills.map(({ name, source, instead, description }) => {
      const over = instead.length > 0 ? `, in place of ${instead.join(" and ")}` : "";
      return `${name} (${source}${over}): ${description}`;
    }),
    ...problems.map(({ path: at, line, message }) => `${at}:${line}: ${message}`),
  ].map(printed);
}

/**
 * A line as it may stand in a terminal or in the log of a workflow, whatever names and files of strangers hold:
 * one line, its unseen signs spelt out, and no command to GitHub's runner, which takes `::` at the start of a
 * line and `##[` anywhere in one.
 */
function printed(line: string): string {
  return spelt(line)
    .replace(/^( *):(?=:)/, "$1\\u{3a}")
    .replaceAll("##[", "#\\u{23}[");
}
