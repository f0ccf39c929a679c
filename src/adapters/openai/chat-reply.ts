import { APIError } from "openai";
import { createRoom, type ReplyAssembly, WITHHELD } from "./assembly.ts";
import { createChatCalls } from "./chat-calls.ts";
import { createReasoning } from "./chat-reasoning.ts";
import { readError } from "./error-body.ts";
import { isRecord, list, record, text } from "./json.ts";
import { withoutThoughts } from "./thoughts.ts";
import { toolName, withUniqueIds } from "./tool-call.ts";
import { readUsage } from "./usage.ts";

/** What servers call the end at a limit: of the output, or of the window (Mistral, Z.ai, Anthropic). */
const AT_LIMIT = ["length", "max_tokens", "model_length", "model_context_window_exceeded"];
/** What they call one at which the model was not to blame (OpenRouter, DeepSeek, Z.ai). */
const BROKEN_OFF = ["error", "insufficient_system_resource", "network_error", "aborted"];
const FILTERED = ["content_filter", "safety", "sensitive", "refusal"];

/**
 * Collects a Chat Completions reply from chunks. Liberal in what it takes: a whole message
 * instead of deltas, thoughts within the content, usage that comes in several chunks or beside the choice.
 */
export function createChatAssembly(): ReplyAssembly {
  const room = createRoom();
  const calls = createChatCalls(room);
  const reasoning = createReasoning(createRoom());
  let content = "";
  let refusal = "";
  let finish: string | null = null;
  let usage: Record<string, unknown> = {};
  let begun = false;
  let id = "";

  /** Tells whether it brought anything. */
  function addMessage(message: Record<string, unknown>, whole: boolean): boolean {
    const said = contentText(message.content);
    const declined = text(message.refusal);
    content += room.fitting(said);
    refusal += room.fitting(declined);
    const thought = reasoning.add(message);
    const called = list(message.tool_calls);
    for (const [place, call] of called.entries()) calls.add(call, whole ? place : null);
    return thought || said !== "" || declined !== "" || called.length > 0;
  }

  function addUsage(told: unknown): void {
    if (!isRecord(told)) return;
    const entries = Object.entries(told).filter(([, value]) => value !== null);
    usage = { ...usage, ...Object.fromEntries(entries) };
  }

  return {
    add(chunk) {
      const { choices, usage: told, x_groq: groq, id: given } = record(chunk);
      id ||= text(given);
      const choice = list(choices)
        .map(record)
        .find((each) => (each.index ?? 0) === 0);
      let brought = false;
      if (choice) {
        if (choice.delta) brought = addMessage(record(choice.delta), false);
        else brought = addMessage(record(choice.message), true);
        begun ||= brought;
        if (choice.message) finish ??= "stop";
        const reason = text(choice.finish_reason);
        if (BROKEN_OFF.includes(reason)) {
          throw brokenOff(reason, choice.error);
        }
        finish = reason || finish;
        addUsage(choice.usage);
      }
      addUsage(record(groq).usage);
      addUsage(told);
      return brought;
    },
    get ended() {
      return finish !== null;
    },
    get counted() {
      return Object.keys(usage).length > 0;
    },
    get usable() {
      const said = withoutThoughts(content).trim() !== "" || refusal !== "";
      return (said || calls.all.length > 0) && calls.complete();
    },
    // The usage comes after the end.
    get complete() {
      return room.full;
    },
    get full() {
      return room.full;
    },
    get begun() {
      return begun;
    },
    get id() {
      return id;
    },
    reply({ origin, requestChars, usedIds }) {
      const named = calls.all.map((call) => ({ ...call, name: toolName(call.name) }));
      const toolCalls = withUniqueIds(named, usedIds);
      const reply = named.reduce((sum, call) => sum + call.arguments.length, content.length);
      const fields = reasoning.fields();
      const wanted =
        Object.keys(fields).length > 0 && (named.length > 0 || "reasoning_details" in fields);
      const items = wanted ? [fields] : [];
      return {
        content: withoutThoughts(content),
        toolCalls,
        refusal: refusal || (FILTERED.includes(finish ?? "") ? WITHHELD : null),
        truncated: AT_LIMIT.includes(finish ?? "") || room.dropped || room.full,
        ...readUsage(usage, { request: requestChars, reply }),
        ...((wanted || named.some(({ extra }) => extra)) && { native: { origin, items } }),
      };
    },
  };
}

/** What stands beside the reason says more: OpenRouter writes there what the server behind it answered. */
function brokenOff(reason: string, told: unknown): APIError {
  const error = isRecord(told) || text(told) !== "" ? readError({ error: told }) : null;
  const words = error ? `: ${error.message}` : "";
  const message = `it ended with ${reason}${words}`;
  return new APIError(undefined, { ...error, message }, undefined, undefined);
}

/** Some servers send content as a list of parts. */
function contentText(value: unknown): string {
  if (typeof value === "string") return value;
  return list(value)
    .map((part) => text(record(part).text))
    .join("");
}
