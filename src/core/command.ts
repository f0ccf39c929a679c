import { ALLOW_ALONE, parseAllow } from "./command-allow.ts";
import { commandBlocks } from "./command-blocks.ts";
import { parseContinue } from "./command-continue.ts";
import { type Flags, parseFlags } from "./command-flags.ts";
import { parseStop, STOP_ALONE } from "./command-stop.ts";
import { didYouMean } from "./did-you-mean.ts";
import { codeSpan } from "./markdown-inline.ts";
import { stripInvisible } from "./redact.ts";
import { type Control, parseVerb, type Work } from "./verbs.ts";

/** One line of work with the flags of the `/codex` line it came from. */
export interface ParsedTask {
  text: string;
  flags: Flags;
  /** It begins an earlier job anew: that one, or for null those that failed there. */
  retries?: { job: string | null };
  /** What kind of result it asks for; absent: a change. */
  work?: Exclude<Work, "change">;
  /**
   * It goes on with an earlier job: that one, or for null the last that stopped there; `text` are words for
   * it. `whole` is all that was written, which is the task where nothing can be gone on with.
   */
  continues?: { job: string | null; whole: string };
}

/** What a comment asks. A problem is a sentence without its full stop; `usage`: the usage helps with it. */
export type ParsedCommand =
  | { kind: "not_for_us" }
  | { kind: "help" }
  /** Lets the change of a job out that was held: the short id of the job, and the commit. */
  | { kind: "allow"; job: string; sha: string }
  /** Stops the job of that short id; null: all that is under way here. */
  | { kind: "stop"; job: string | null }
  /** A word about what is there, alone in its text. */
  | { kind: "control"; control: Control }
  | { kind: "refused"; problem: string; usage: boolean }
  /** `cleaned`: invisible or control characters were taken out of the tasks. */
  | { kind: "command"; tasks: ParsedTask[]; cleaned: boolean };

/** Characters of one task. */
export const MAX_TASK = 8000;

/**
 * Reads the commands of a comment.
 *
 * - `/codex do this` is one task. The next lines of its paragraph belong to it, and so do lists,
 *   quotations and code blocks that follow directly; a later paragraph does not.
 * - `/codex`, with or without flags, followed by a list: each top-level item is a task with what is
 *   nested in it; ticked checkboxes are done and left out.
 * - Several `/codex` lines are several commands, each with its own flags. One that is wrong refuses all.
 * - `/codex continue [JOB] [more words]` is one task that goes on with an earlier one, where there is one.
 * - `/codex ask …` and `/codex plan …` are tasks that only read; `/codex retry [JOB]` begins earlier ones anew.
 * - `/codex status` and `/codex ready` stand alone in their text, as `allow` and `stop` do.
 * - `mention` is the login of the App, such as `draftsmith[bot]`: `@draftsmith` stands for `/codex`.
 * - `/codex allow JOB SHA` stands alone in its comment, and so does `/codex stop [JOB|all]`.
 */
export function parseCommand(
  body: string,
  { maxTasks, mention = null }: { maxTasks: number; mention?: string | null },
): ParsedCommand {
  const lines = body.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const blocks = commandBlocks(lines, mention);
  if (blocks.length === 0) return { kind: "not_for_us" };
  const tasks: ParsedTask[] = [];
  let helps = 0;
  let cleaned = false;
  const clean = (text: string): string => {
    const visible = stripInvisible(text);
    cleaned ||= visible !== text;
    return visible.trim();
  };
  for (const block of blocks) {
    const line = clean(block.line).replaceAll("\n", " ");
    const allowed = parseAllow(line);
    if (allowed.kind === "near") return refused(allowed.problem, { usage: true });
    if (allowed.kind === "allow") {
      const alone = blocks.length === 1 && !block.more && !block.details && !cleaned;
      return alone ? allowed : refused(ALLOW_ALONE, { usage: true });
    }
    const stopped = parseStop(line);
    if (stopped.kind === "near" && !block.more && !block.details) {
      return refused(stopped.problem, { usage: true });
    }
    if (stopped.kind === "stop") {
      const alone = blocks.length === 1 && !block.more && !block.details;
      return alone ? stopped : refused(STOP_ALONE, { usage: true });
    }
    if (isHelp(line)) {
      helps++;
      continue;
    }
    const flagged = parseFlags(line);
    if (!flagged.ok) return refused(flagged.problem, { usage: true });
    const { flags } = flagged;
    const text = [flagged.text, clean(block.more)].filter(Boolean).join("\n");
    const verb = parseVerb(text, Boolean(block.details));
    if (verb.kind === "near") return refused(verb.problem, { usage: true });
    if (verb.kind === "control") {
      const alone = blocks.length === 1 && !block.more && !block.details;
      const { control } = verb;
      return alone
        ? { kind: "control", control }
        : refused(
            `something else stands beside \`/codex ${control.verb}\`; write it in a comment of its own`,
          );
    }
    if (verb.kind === "retry") {
      if (block.more || block.details) return refused(RETRY_ALONE, { usage: true });
      tasks.push({ text, flags, retries: { job: verb.job } });
      continue;
    }
    if (verb.kind === "work") {
      const { work } = verb;
      tasks.push({ text: [text, clean(block.details)].filter(Boolean).join("\n\n"), flags, work });
      continue;
    }
    const goesOn = parseContinue(text);
    if (goesOn !== null) {
      const words = [goesOn.words, clean(block.details)].filter(Boolean).join("\n\n");
      const whole = [text, clean(block.details)].filter(Boolean).join("\n\n");
      tasks.push({ text: words, flags, continues: { job: goesOn.job, whole } });
      continue;
    }
    if (isWork(text)) {
      const meant = /^\S+$/.test(text) ? didYouMean(text, ["help"]) : null;
      const details = clean(block.details);
      if (meant && !details) return refused(noTask(text), { usage: true });
      tasks.push({ text: [text, details].filter(Boolean).join("\n\n"), flags });
      continue;
    }
    const items = block.items.map(clean).map(openItem);
    const found = items.filter((item) => item !== null && isWork(item));
    if (found.length === 0)
      return refused(items.includes(null) ? ALL_TICKED : NO_TASK, { usage: true });
    for (const item of found) if (item !== null) tasks.push({ text: item, flags });
  }
  if (tasks.length === 0) return { kind: "help" };
  if (helps > 0) return refused(HELP_BESIDE, { usage: true });
  return withinLimits(tasks, maxTasks) ?? { kind: "command", tasks, cleaned };
}

const RETRY_ALONE =
  "something else stands below `/codex retry`; `/codex continue JOB` takes words that are added to the task";
const NO_TASK =
  "`/codex` stands there without a task; write the task on the same line, or several as a list below it";
const ALL_TICKED = "every task of the list is ticked; untick one or add a new one";
const HELP_BESIDE = "`/codex help` stands beside tasks; write it in a comment of its own";

function noTask(word: string): string {
  return `${codeSpan(word)} looks like a mistyped \`/codex help\`; if it is a task, say it in more words`;
}

function isHelp(line: string): boolean {
  return /^(?:(?:--|—|–)?help|-h)[.!?]*$/i.test(line);
}

/** A task says something: it has a letter or a digit. */
function isWork(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

/** The text of a list item without its checkbox; null when it is ticked. */
function openItem(item: string): string | null {
  const [box, tick] = /^\[([ xX])\](?:\s+|$)/.exec(item) ?? [""];
  return tick === undefined || tick === " " ? item.slice(box.length) : null;
}

function withinLimits(tasks: ParsedTask[], maxTasks: number): ParsedCommand | null {
  if (tasks.length > maxTasks) {
    return refused(
      `this comment holds ${tasks.length} tasks, and ${maxTasks} are allowed in one; spread them over several comments, or raise \`limits.tasks\` in \`.github/codex.yml\``,
    );
  }
  const lengths = tasks.map(({ text, continues }) => (continues?.whole ?? text).length);
  const long = lengths.findIndex((length) => length > MAX_TASK);
  if (long === -1) return null;
  const length = lengths[long]?.toLocaleString("en");
  return refused(
    `task ${long + 1} has ${length} characters, and ${MAX_TASK.toLocaleString("en")} are allowed; put the details into the issue or a file and point to them`,
  );
}

function refused(problem: string, { usage } = { usage: false }): ParsedCommand {
  return { kind: "refused", problem, usage };
}
