import type { ModelReply, TokenUsage, ToolCall } from "../../core/model.ts";

/** The parts of a reply put together; `ended` is false until the server said why it stopped. */
export interface ReplyAssembly {
  /** Takes one chunk of a stream, or a whole completion, as parsed from JSON. */
  add(chunk: unknown): void;
  readonly ended: boolean;
  /** Whether it is as long as a reply may be: what still comes is left out, as at an output limit. */
  readonly full: boolean;
  /** The reply; `requestChars` and `usedIds` serve servers that leave out usage and ids of calls. */
  reply(requestChars: number, usedIds: Iterable<string>): ModelReply;
}

/** More tokens in one reply than any model can handle: the number is not to be believed. */
const MAX_TOKENS = 20_000_000;

/** Characters of one reply, several times what the longest outputs of models hold. */
const MAX_CHARS = 2_000_000;
/** Calls in one reply; models make a few. */
const MAX_CALLS = 128;
/** How often one reply may make us look whether a call is complete: each look reads all of it. */
const MAX_LOOKS = 1000;

/**
 * Collects a Chat Completions reply from chunks. Liberal in what it takes: calls without index or
 * id, several calls under one index, arguments as an object, a whole message instead of deltas.
 */
export function createAssembly(): ReplyAssembly {
  const calls: ToolCall[] = [];
  const byIndex = new Map<number, ToolCall>();
  let content = "";
  let refusal = "";
  let finish: string | null = null;
  let usage: Record<string, unknown> = {};
  let room = MAX_CHARS;
  let looks = MAX_LOOKS;
  let dropped = false;

  /** As much of a piece as still fits. */
  function fitting(piece: string): string {
    const kept = piece.slice(0, room);
    room -= kept.length;
    dropped ||= kept.length < piece.length;
    return kept;
  }

  function fittingRecord(value: unknown): Record<string, unknown> | undefined {
    if (!isRecord(value)) return undefined;
    const written = JSON.stringify(value);
    return fitting(written).length === written.length ? value : undefined;
  }

  function addCall(value: unknown, index: number | null): void {
    const delta = record(value);
    const fn = record(delta.function);
    const id = fitting(text(delta.id));
    const name = fitting(text(fn.name));
    const args = fitting(argumentsText(fn.arguments));
    const extra = fittingRecord(delta.extra_content);
    const current = index === null ? calls.at(-1) : byIndex.get(index);
    if (current && !startsNewCall(current, { id, name, args }, isComplete)) {
      current.id ||= id;
      current.name ||= name;
      current.arguments += args;
      if (extra) current.extra = { ...current.extra, ...extra };
      return;
    }
    if (name === "" && args === "") return;
    if (calls.length === MAX_CALLS) {
      dropped = true;
      return;
    }
    const call: ToolCall = { id, name, arguments: args, ...(extra && { extra }) };
    calls.push(call);
    if (index !== null) byIndex.set(index, call);
  }

  function isComplete(written: string): boolean {
    looks -= 1;
    return looks >= 0 && isJsonObject(written);
  }

  function addMessage(message: Record<string, unknown>, whole: boolean): void {
    content += fitting(contentText(message.content));
    refusal += fitting(text(message.refusal));
    for (const [place, call] of list(message.tool_calls).entries()) {
      const index = record(call).index;
      addCall(call, typeof index === "number" ? index : whole ? place : null);
    }
  }

  return {
    add(chunk) {
      const { choices, usage: reported } = record(chunk);
      const choice = list(choices)
        .map(record)
        .find((each) => (each.index ?? 0) === 0);
      if (choice) {
        if (choice.delta) addMessage(record(choice.delta), false);
        else addMessage(record(choice.message), true);
        if (choice.message) finish ??= "stop";
        finish = text(choice.finish_reason) || finish;
      }
      if (isRecord(reported)) usage = reported;
    },
    get ended() {
      return finish !== null;
    },
    get full() {
      return room === 0;
    },
    reply(requestChars, usedIds) {
      const replyChars = calls.reduce((sum, call) => sum + call.arguments.length, content.length);
      return {
        content,
        toolCalls: withUniqueIds(calls, usedIds),
        refusal: refusal || (finish === "content_filter" ? "The model's host withheld it." : null),
        truncated: finish === "length" || dropped || room === 0,
        usage: readUsage(usage, requestChars, replyChars),
      };
    },
  };
}

/** A delta that names a function opens a call unless it can still belong to the current one. */
function startsNewCall(
  current: ToolCall,
  delta: { id: string; name: string; args: string },
  isComplete: (written: string) => boolean,
): boolean {
  if (delta.name === "") return false;
  if (delta.id !== "" && current.id !== "" && delta.id !== current.id) return true;
  return delta.args !== "" && isComplete(current.arguments);
}

/** Ids that are missing or taken get a new one; nine letters and digits, as Mistral demands. */
function withUniqueIds(calls: ToolCall[], usedIds: Iterable<string>): ToolCall[] {
  const used = new Set(usedIds);
  let next = 1;
  return calls.map((call) => {
    let id = call.id;
    while (id === "" || used.has(id)) id = `call${String(next++).padStart(5, "0")}`;
    used.add(id);
    return { ...call, id };
  });
}

function readUsage(
  usage: Record<string, unknown>,
  requestChars: number,
  replyChars: number,
): TokenUsage {
  const inputTokens = tokens(usage.prompt_tokens) || Math.ceil(requestChars / 4);
  const cached = tokens(record(usage.prompt_tokens_details).cached_tokens);
  return {
    inputTokens,
    cachedTokens: Math.min(cached, inputTokens),
    outputTokens: tokens(usage.completion_tokens) || Math.ceil(replyChars / 4),
  };
}

function tokens(value: unknown): number {
  const believable = typeof value === "number" && value > 0 && value <= MAX_TOKENS;
  return believable ? Math.ceil(value) : 0;
}

/** Whether a text is one JSON object, as the arguments of a call have to be. */
export function isJsonObject(value: string): boolean {
  try {
    return isRecord(JSON.parse(value));
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function argumentsText(value: unknown): string {
  if (typeof value === "string") return value;
  return isRecord(value) ? JSON.stringify(value) : "";
}

/** Some servers send content as a list of parts. */
function contentText(value: unknown): string {
  if (typeof value === "string") return value;
  return list(value)
    .map((part) => text(record(part).text))
    .join("");
}

/** Whether a parsed value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
