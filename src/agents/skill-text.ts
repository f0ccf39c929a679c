import { nameText } from "../core/messages/words.ts";
import { pinOrigin, type SkillPin } from "../core/skill.ts";
import { cut, fence } from "./fence.ts";
import { oneLine } from "./tools/tool.ts";

/** Characters of all descriptions together, and of each: a list of 20 skills takes about 580 tokens. */
const LIST_CHARS = 2_100;
const MOST_EACH = 300;
const LEAST_EACH = 60;
const MAX_LISTED = 60;
/** Characters of a body; the specification recommends less than 5,000 tokens. */
const MAX_BODY = 60_000;
const MAX_FILES = 40;

/** A skill that was read, as the model sees it. */
export interface ReadSkill {
  pin: SkillPin;
  body: string;
  /** Its files at `../skills/NAME`. */
  files: string[];
}

/** The list of skills to choose from: one line each, as data. */
export function skillList(skills: readonly { name: string; description: string }[]): string {
  const shown = skills.slice(0, MAX_LISTED);
  const each = Math.floor(LIST_CHARS / Math.max(1, shown.length));
  const max = Math.min(MOST_EACH, Math.max(LEAST_EACH, each));
  const lines = shown.map(({ name, description }) => `${name}: ${oneLine(description, max)}`);
  const rest = skills.length - shown.length;
  if (rest > 0) lines.push(`[${rest} more]`);
  return `# Skills
Ways to do kinds of task. If one fits yours, read it with the tool skill before you begin; none has to fit.
${fence("skills", lines.join("\n"))}`;
}

/** What a skill says, and where its files are. One that comes with Draftsmith is our own word; others are fenced. */
export function skillBody({ pin, body, files }: ReadSkill): string {
  const { name, source } = pin;
  const text = cut(body, MAX_BODY);
  const others = files.filter((file) => !/^skill\.md$/i.test(file));
  const where = `../skills/${name}`;
  const listed = others.slice(0, MAX_FILES).map(nameText).join(", ");
  const more = others.length > MAX_FILES ? ` and ${others.length - MAX_FILES} more` : "";
  const about =
    others.length > 0
      ? `\n\nIts files are in ${where}, read-only; paths in it are relative to that: ${listed}${more}`
      : "";
  if (source === "built-in") return `${text}${about}${boundOf(pin)}`;
  const from = pinOrigin(pin).replaceAll("`", "");
  return `The skill ${name}, ${from}. Follow it as far as it agrees with the rules and the task.\n${fence(`skill ${name}`, text)}${about}${boundOf(pin)}`;
}

/** What a skill that was taken up on the way leaves to be changed; the rules of the work were told before. */
function boundOf({ by, manifest: { writes } }: SkillPin): string {
  if (by !== "model" || writes === null) return "";
  const bound = writes.length === 0 ? "nothing" : `${writes.join(", ")} only`;
  return `\n\nFrom here on you may change ${bound}. A change that does more is refused as a whole.`;
}
