import { MAX_TASK, type ParsedCommand, parseCommand } from "./command.ts";
import { stripInvisible } from "./redact.ts";
import type { Request } from "./request.ts";

/** The task of a review that asks for changes; what it says besides follows. */
const REVIEW_TASK = "Do what this review asks for.";

/** Stands at the end of a task that is longer than one may be; the whole issue is shown besides. */
const CUT = "\n\n… (the issue goes on: its whole text is below)";

/** What a request asks: by its words, or by what was done, for then the issue itself is the task. */
export function asks(
  { way, body, subject, closed }: Pick<Request, "way" | "body" | "subject" | "closed">,
  reading: Parameters<typeof parseCommand>[1],
): ParsedCommand {
  if (!isGivenWhole(way)) {
    const parsed = parseCommand(body, reading);
    const changes = way.kind === "review" && way.changes === true;
    if (!changes || parsed.kind !== "not_for_us") return parsed;
    const words = stripInvisible(body).trim();
    const task = [REVIEW_TASK, ...(words === "" ? [] : [fitting(words, MAX_TASK - 100)])];
    return {
      kind: "command",
      tasks: [{ text: task.join("\n\n"), flags: {} }],
      cleaned: words !== body.trim(),
    };
  }
  if (closed) {
    const problem = "this issue is closed; open it again before you give it as a task";
    return { kind: "refused", problem, usage: false };
  }
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

function fitting(text: string, most = MAX_TASK): string {
  return text.length <= most ? text : text.slice(0, most - CUT.length) + CUT;
}
