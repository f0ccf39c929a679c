import { MAX_TASK, type ParsedCommand, parseCommand } from "./command.ts";
import { stripInvisible } from "./redact.ts";
import type { Request } from "./request.ts";

/** Stands at the end of a task that is longer than one may be; the whole issue is shown besides. */
const CUT = "\n\n… (the issue goes on: its whole text is below)";

/** What a request asks: by its words, or by what was done, for then the issue itself is the task. */
export function asks(
  { way, body, subject }: Pick<Request, "way" | "body" | "subject">,
  reading: Parameters<typeof parseCommand>[1],
): ParsedCommand {
  if (!isGivenWhole(way)) return parseCommand(body, reading);
  const text = subject === null ? "" : `${subject.title}\n\n${subject.body}`;
  const visible = stripInvisible(text).trim();
  if (!/[\p{L}\p{N}]/u.test(visible)) {
    const problem = "this issue says nothing; write into it what is to be done, and label it again";
    return { kind: "refused", problem, usage: false };
  }
  return {
    kind: "command",
    tasks: [{ text: fitting(visible), flags: {} }],
    cleaned: visible !== text.trim(),
  };
}

/** Whether a person gave the whole issue as a task, and so answers for its text. */
export function isGivenWhole({ kind }: Request["way"]): boolean {
  return kind === "labeled" || kind === "assigned";
}

function fitting(text: string): string {
  return text.length <= MAX_TASK ? text : text.slice(0, MAX_TASK - CUT.length) + CUT;
}
