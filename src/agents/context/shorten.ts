import type { ChatMessage, ToolCall } from "../../core/model.ts";

/** Texts up to this many characters stay as they are. */
const SHORT_RESULT = 500;
const SHORT_SAID = 1500;
const SHORT_ARGUMENTS = 300;
const SHORT_ARGUMENT = 160;

/** The tool that reads instructions, which stay whole up to so many characters. */
export const SKILL = "skill";
const MAX_SKILL = 24_000;

const FIRST_LINES = 3;
/** Failures stand at the end. */
const LAST_LINES = 5;
const LINE_CHARS = 120;

/**
 * An old message with less in it: what it was, how long, and its first and last lines. The same object
 * where nothing is won. `call` is the one a result answers, `keep` a call that stays whole. A reply loses the form its provider gave it, reasoning included, as a whole: what is
 * left of it are calls that any provider takes.
 */
export function shortened(
  message: ChatMessage,
  { call, keep }: { call?: ToolCall | undefined; keep?: ToolCall | undefined },
): ChatMessage {
  const short = shorter(message, call, keep);
  return JSON.stringify(short).length < JSON.stringify(message).length ? short : message;
}

function shorter(
  message: ChatMessage,
  call: ToolCall | undefined,
  keep: ToolCall | undefined,
): ChatMessage {
  switch (message.role) {
    case "system":
    case "user":
      return message;
    case "tool": {
      if (call?.name === SKILL && message.content.length <= MAX_SKILL) return message;
      return { ...message, content: shorterText(message.content, SHORT_RESULT, again(call?.name)) };
    }
    case "assistant": {
      const { native: _, ...plain } = message;
      const content = shorterText(message.content, SHORT_SAID, "");
      const toolCalls = message.toolCalls.map((each) => (each === keep ? each : shorterCall(each)));
      return { ...plain, content, toolCalls };
    }
  }
}

/** How to come by an old result once more. */
function again(tool: string | undefined): string {
  if (tool === "read" || tool === SKILL) return "; read it again if you need it";
  return tool === "shell" ? "; run it again if you need what it printed" : "";
}

function shorterText(text: string, max: number, remedy: string): string {
  if (text.length <= max) return text;
  const lines = text.split("\n");
  const what = `[shortened to make room: ${text.length} characters in ${lines.length} lines${remedy}]`;
  const ends =
    lines.length > FIRST_LINES + LAST_LINES
      ? [...lines.slice(0, FIRST_LINES).map(line), "[...]", ...lines.slice(-LAST_LINES).map(line)]
      : lines.map(line);
  const short = [what, ...ends].join("\n");
  return short.length < text.length ? short : text;
}

function line(text: string): string {
  return text.length <= LINE_CHARS ? text : `${text.slice(0, LINE_CHARS).toWellFormed()}[...]`;
}

/** A call with shorter texts in its arguments. One whose host signed it stays as it came. */
function shorterCall(call: ToolCall): ToolCall {
  const written = call.arguments;
  if (written.length <= SHORT_ARGUMENTS || call.extra !== undefined) return call;
  const short = shorterArguments(written);
  return short.length < written.length ? { ...call, arguments: short } : call;
}

function shorterArguments(written: string): string {
  try {
    const value: unknown = JSON.parse(written);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const entries = Object.entries(value).map(([name, each]) => [name, shorterArgument(each)]);
      const short = JSON.stringify(Object.fromEntries(entries));
      if (short.length < Math.max(2 * SHORT_ARGUMENTS, written.length / 2)) return short;
    }
  } catch (error) {
    // No JSON, or so deeply nested that it cannot be written again.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
  }
  return JSON.stringify({ left_out: `${written.length} characters of arguments` });
}

function shorterArgument(value: unknown): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.length <= SHORT_ARGUMENT) return value;
  const end = SHORT_ARGUMENT / 2;
  const left = text.length - SHORT_ARGUMENT;
  return `${text.slice(0, end).toWellFormed()} [${left} characters left out] ${text.slice(-end).toWellFormed()}`;
}
