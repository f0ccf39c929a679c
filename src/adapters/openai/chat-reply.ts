import { APIError } from "openai";
import type { ToolCall } from "../../core/model.ts";
import { createRoom, MAX_CALLS, type ReplyAssembly, WITHHELD } from "./assembly.ts";
import { createReasoning } from "./chat-reasoning.ts";
import { isJsonObject, isRecord, list, record, text } from "./json.ts";
import { argumentsText, withUniqueIds } from "./tool-call.ts";
import { readUsage } from "./usage.ts";

/** How often one reply may make us look whether a call is complete: each look reads all of it. */
const MAX_LOOKS = 1000;

/** What servers call the end at a limit: of the output, or of the window (Mistral, Z.ai, Anthropic). */
const AT_LIMIT = ["length", "max_tokens", "model_length", "model_context_window_exceeded"];
/** What they call one at which the model was not to blame (OpenRouter, DeepSeek, Z.ai). */
const BROKEN_OFF = ["error", "insufficient_system_resource", "network_error", "aborted"];
const FILTERED = ["content_filter", "safety", "sensitive", "refusal"];

/**
 * Collects a Chat Completions reply from chunks. Liberal in what it takes: calls without index or
 * id, several calls under one index, arguments as an object, a whole message instead of deltas, usage
 * that comes in several chunks or beside the choice.
 */
export function createChatAssembly(): ReplyAssembly {
  const calls: ToolCall[] = [];
  const byIndex = new Map<number, ToolCall>();
  const room = createRoom();
  const reasoning = createReasoning(createRoom());
  let content = "";
  let refusal = "";
  let finish: string | null = null;
  let usage: Record<string, unknown> = {};
  let looks = MAX_LOOKS;
  let begun = false;
  let id = "";

  function addCall(value: unknown, index: number | null): void {
    const delta = record(value);
    const fn = record(delta.function);
    const callId = room.fitting(text(delta.id));
    const name = room.fitting(text(fn.name));
    const args = room.fitting(argumentsText(fn.arguments));
    const extra = room.fittingRecord(delta.extra_content);
    const current = index === null ? calls.at(-1) : byIndex.get(index);
    if (current && !startsNewCall(current, { id: callId, name, args }, isComplete)) {
      current.id ||= callId;
      current.name ||= name;
      current.arguments += args;
      if (extra) current.extra = { ...current.extra, ...extra };
      return;
    }
    if (name === "" && args === "") return;
    if (calls.length === MAX_CALLS) {
      room.drop();
      return;
    }
    const call: ToolCall = { id: callId, name, arguments: args, ...(extra && { extra }) };
    calls.push(call);
    if (index !== null) byIndex.set(index, call);
  }

  function isComplete(written: string): boolean {
    looks -= 1;
    return looks >= 0 && isJsonObject(written);
  }

  /** Tells whether it brought anything. */
  function addMessage(message: Record<string, unknown>, whole: boolean): boolean {
    const said = contentText(message.content);
    const declined = text(message.refusal);
    content += room.fitting(said);
    refusal += room.fitting(declined);
    const thought = reasoning.add(message);
    const called = list(message.tool_calls);
    for (const [place, call] of called.entries()) {
      const index = record(call).index;
      addCall(call, typeof index === "number" ? index : whole ? place : null);
    }
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
          throw new APIError(
            undefined,
            { message: `it ended with ${reason}` },
            undefined,
            undefined,
          );
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
      const toolCalls = withUniqueIds(calls, usedIds);
      const reply = calls.reduce((sum, call) => sum + call.arguments.length, content.length);
      const fields = reasoning.fields();
      const wanted =
        Object.keys(fields).length > 0 && (calls.length > 0 || "reasoning_details" in fields);
      const items = wanted ? [fields] : [];
      return {
        content,
        toolCalls,
        refusal: refusal || (FILTERED.includes(finish ?? "") ? WITHHELD : null),
        truncated: AT_LIMIT.includes(finish ?? "") || room.dropped || room.full,
        ...readUsage(usage, { request: requestChars, reply }),
        ...((wanted || calls.some(({ extra }) => extra)) && { native: { origin, items } }),
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

/** Some servers send content as a list of parts. */
function contentText(value: unknown): string {
  if (typeof value === "string") return value;
  return list(value)
    .map((part) => text(record(part).text))
    .join("");
}
