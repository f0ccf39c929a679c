import type { SkillManifest } from "../core/skill.ts";
import { readManifest } from "../core/skill-manifest.ts";
import { visibleSource, visibleTitle } from "../core/visible/text.ts";
import { parseYaml } from "../core/yaml.ts";

/** A SKILL.md that follows the specification (agentskills.io/specification), without what people cannot see. */
export interface SkillText {
  name: string;
  /** What it is for and when to use it; one line. */
  description: string;
  /** The Markdown below the front matter. */
  body: string;
  license?: string;
  compatibility?: string;
  metadata: Record<string, string>;
  allowedTools: string[];
  manifest: SkillManifest;
  /** What was taken out because nobody sees it, by kind and number. */
  stripped: string[];
}

/** One thing wrong with a SKILL.md: 1-based line, what, and what to do. */
export interface TextProblem {
  line: number;
  message: string;
}

const MAX_NAME = 64;
const MAX_DESCRIPTION = 1024;
const MAX_COMPATIBILITY = 500;

/** Reads the SKILL.md of a folder. All values are texts, as the format has no others: `version: 1.0` is "1.0". */
export function parseSkillText(
  folder: string,
  bytes: Uint8Array,
): { ok: true; skill: SkillText } | { ok: false; problems: TextProblem[] } {
  const source = utf8(bytes)
    ?.replace(/^\uFEFF/, "")
    .replaceAll(/\r\n?/g, "\n");
  if (source === undefined) return wrong(1, "is no UTF-8 text; save it as UTF-8");
  const [, yaml, body] = /^---[ \t]*\n([\s\S]*?\n)?---[ \t]*(?:\n([\s\S]*))?$/.exec(source) ?? [];
  if (yaml === undefined)
    return wrong(1, "must begin with front matter: name and description between two lines of ---");
  const read = parseYaml(yaml, { plain: true });
  if (!read.ok) {
    const quote = (message: string) =>
      /Nested mappings|implicit keys?/i.test(message)
        ? `${message}; put a value with a colon in it between quotes`
        : message;
    const problems = read.problems.map(({ line, message }) => ({
      line: line + 1,
      message: `its front matter is wrong: ${quote(message)}`,
    }));
    return { ok: false, problems };
  }
  const fields = new Map<string, unknown>(Object.entries(read.value ?? {}));
  const problems: TextProblem[] = [];
  const say = (path: string[], message: string) =>
    problems.push({ line: read.lineOf(path) + 1, message: `${path.join(".")} ${message}` });
  const text = (field: string): string | undefined => {
    const value = fields.get(field);
    if (value === undefined || typeof value === "string") return value?.trim();
    say([field], "must be a text");
    return undefined;
  };
  const name = text("name")?.normalize("NFKC");
  if (!fields.has("name")) say(["name"], "is missing; it must be the name of the folder");
  else if (name !== undefined) {
    for (const flaw of nameFlaws(name, folder)) say(["name"], flaw);
  }
  const description = text("description");
  if (!fields.has("description") || description === "")
    say(["description"], "is missing or empty; say what the skill does and when to use it");
  else if (description !== undefined && lengthOf(description) > MAX_DESCRIPTION)
    say(
      ["description"],
      `has ${lengthOf(description)} characters, more than ${MAX_DESCRIPTION}; shorten it`,
    );
  // Neither the specification nor its reference implementation gives a reason to refuse one.
  const license = fields.has("license") ? textOf(fields.get("license")).trim() : undefined;
  const compatibility = text("compatibility");
  if (compatibility === "" || lengthOf(compatibility ?? "") > MAX_COMPATIBILITY)
    say(
      ["compatibility"],
      `must have 1 to ${MAX_COMPATIBILITY} characters; shorten it or leave it out`,
    );
  const tools = fields.get("allowed-tools");
  const listed = Array.isArray(tools) ? tools : typeof tools === "string" ? tools.split(/\s+/) : [];
  const isTools = tools === undefined || typeof tools === "string" || Array.isArray(tools);
  if (!isTools || !listed.every((each) => typeof each === "string"))
    say(["allowed-tools"], "must be a text with spaces between the tools, or a list of texts");
  const metadata = fields.get("metadata");
  if (metadata !== undefined && !isMap(metadata))
    say(["metadata"], "must be a map of keys and texts");
  const texts = isMap(metadata) ? textsOf(metadata) : {};
  const { manifest, problems: unclear } = readManifest(isMap(metadata) ? { ...metadata } : {});
  for (const { key, message } of unclear) say(["metadata", key], message);
  if (problems.length > 0 || name === undefined || description === undefined)
    return { ok: false, problems: problems.toSorted((a, b) => a.line - b.line) };
  const shown = visibleTitle(description);
  const instructions = visibleSource(body ?? "");
  if (shown.text === "")
    return wrong(read.lineOf(["description"]) + 1, "description holds nothing that people can see");
  return {
    ok: true,
    skill: {
      name,
      description: shown.text,
      body: instructions.text.trim(),
      ...(license !== undefined && { license }),
      ...(compatibility !== undefined && { compatibility }),
      metadata: texts,
      allowedTools: listed.filter(
        (each): each is string => typeof each === "string" && each !== "",
      ),
      manifest,
      stripped: [...shown.what, ...instructions.what],
    },
  };
}

/** What is wrong with a name, by the rules of the specification and its reference implementation. */
function nameFlaws(name: string, folder: string): string[] {
  const flaws: string[] = [];
  const length = lengthOf(name);
  if (length < 1 || length > MAX_NAME)
    flaws.push(`must have 1 to ${MAX_NAME} characters, it has ${length}`);
  if (!/^[\p{L}\p{N}-]*$/u.test(name) || name !== name.toLowerCase())
    flaws.push(`must be lower-case letters, digits and hyphens only`);
  if (/\p{Default_Ignorable_Code_Point}/u.test(name) || visibleTitle(name).text !== name)
    flaws.push("holds characters that people cannot see; take them out");
  if (/^-|-$|--/.test(name))
    flaws.push(
      "must be lower-case words with single hyphens between them: none in front, at the end or doubled",
    );
  if (name !== folder.normalize("NFKC"))
    flaws.push(
      `is ${JSON.stringify(name)} and its folder ${JSON.stringify(folder)}; they must be the same`,
    );
  return flaws;
}

/** Metadata is a map of texts; what is deeper than the format knows becomes its JSON. */
function textsOf(metadata: object): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, textOf(value)]));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isMap(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** In characters as people count them, as the reference implementation does. */
function lengthOf(text: string): number {
  return [...text].length;
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function wrong(line: number, message: string): { ok: false; problems: TextProblem[] } {
  return { ok: false, problems: [{ line, message }] };
}
