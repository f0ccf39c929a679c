import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { toError } from "../core/errors.ts";
import { parseYaml } from "../core/yaml.ts";

/** Instructions for one kind of task, as a SKILL.md file gives them (agentskills.io). */
export interface Skill {
  name: string;
  /** What it is for and when to use it. */
  description: string;
  /** The Markdown below the front matter. */
  body: string;
  /** First 12 hex digits of the SHA-256 of SKILL.md. */
  digest: string;
}

/** Why the skill at `path` is left out. */
export interface SkillProblem {
  path: string;
  message: string;
}

const FILE = "SKILL.md";
const MAX_BYTES = 256 * 1024;

/** The format's fields; it does not forbid others, so they are ignored. */
const frontMatter = z.object({
  name: z
    .string()
    .min(1)
    .max(64)
    .regex(
      /^[a-z0-9]+(-[a-z0-9]+)*$/,
      "must be lower-case letters, digits and single hyphens between them",
    ),
  description: z.string().trim().min(1).max(1024),
  license: z.string().optional(),
  compatibility: z.string().min(1).max(500).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  "allowed-tools": z.union([z.string(), z.array(z.string())]).optional(),
});

/** Loads the skills in the folders of `dir`, by name. A bad skill becomes a problem and hides no other. */
export async function loadSkills(
  dir: string,
): Promise<{ skills: Skill[]; problems: SkillProblem[] }> {
  const skills: Skill[] = [];
  const problems: SkillProblem[] = [];
  const entries = await readdir(dir, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  for (const folder of folders.sort()) {
    const file = path.join(dir, folder, FILE);
    const loaded = await readSkill(file).then(
      (bytes) => parseSkill(folder, bytes),
      (thrown: unknown) => `cannot be read: ${toError(thrown).message}`,
    );
    if (typeof loaded === "string") problems.push({ path: file, message: loaded });
    else skills.push(loaded);
  }
  return { skills, problems };
}

async function readSkill(file: string): Promise<Buffer> {
  const bytes = await readFile(file);
  if (bytes.length > MAX_BYTES)
    throw new Error(`it has ${bytes.length} bytes, more than ${MAX_BYTES}`);
  return bytes;
}

/** A skill, or what is wrong with it. */
function parseSkill(folder: string, bytes: Buffer): Skill | string {
  const text = bytes
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n");
  const [, yaml, body] = /^---[ \t]*\n([\s\S]*?\n)?---[ \t]*(?:\n([\s\S]*))?$/.exec(text) ?? [];
  if (yaml === undefined)
    return "must begin with front matter: name and description between two lines of ---";
  const read = parseYaml(yaml);
  if (!read.ok)
    return sentence(read.problems.map((problem) => `line ${problem.line + 1}: ${problem.message}`));
  const parsed = frontMatter.safeParse(read.value);
  if (!parsed.success) {
    return sentence(
      parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    );
  }
  const { name, description } = parsed.data;
  if (name !== folder)
    return `its name is "${name}" and its folder "${folder}"; they must be the same`;
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return { name, description, body: (body ?? "").trim(), digest };
}

function sentence(flaws: string[]): string {
  return `its front matter is wrong: ${flaws.join("; ")}`;
}
