import type { ToolCall } from "../../core/model.ts";
import { createRoom, MAX_CALLS, type ReplyAssembly, type Room, WITHHELD } from "./assembly.ts";
import { isJsonObject, isRecord, list, record, text } from "./json.ts";
import { isPlain, saidBy, sendable, withCalls } from "./responses-items.ts";
import { createSlots } from "./responses-slots.ts";
import { withoutThoughts } from "./thoughts.ts";
import { argumentsText, toolName, withUniqueIds } from "./tool-call.ts";
import { readUsage } from "./usage.ts";

type Item = Record<string, unknown>;

/** Characters of what goes back in the form of the provider; beyond, the plain message has to do. */
const MAX_NATIVE = 4_000_000;

/**
 * Collects a Responses reply from events. Liberal in what it takes: only deltas, only the whole at the
 * end, a whole reply without a stream, items without id or place, arguments as an object.
 */
export function createResponsesAssembly(): ReplyAssembly {
  const room = createRoom();
  const slots = createSlots(room);
  let whole: Item | null = null;
  let cut = false;
  let ended = false;
  let begun = false;
  let id = "";

  function end(response: Item, type: string): boolean {
    whole = response;
    cut = type === "response.incomplete" || response.status === "incomplete";
    ended = true;
    return list(response.output).length > 0;
  }

  return {
    add(event) {
      const data = record(event);
      const type = text(data.type);
      const response = isRecord(data.response) ? data.response : data;
      if (response !== data || Array.isArray(data.output)) id ||= text(response.id);
      const ends = ["response.completed", "response.incomplete", "response.done"].includes(type);
      const brought = ends
        ? end(response, type)
        : Array.isArray(data.output) && !type.startsWith("response.") && isOver(data.status)
          ? end(data, type)
          : slots.add(type, data);
      begun ||= brought;
      return brought;
    },
    get ended() {
      return ended;
    },
    get counted() {
      return isRecord(whole?.usage);
    },
    get usable() {
      const items = withCalls(slots.items());
      return says(items) && items.every((item) => item.type !== "function_call" || isWhole(item));
    },
    get complete() {
      return ended || room.full;
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
      const end = record(whole);
      const found = better(withCalls(list(end.output).filter(isRecord)), withCalls(slots.items()));
      const fits = createRoom();
      const said = saidBy(found);
      const content = withoutThoughts(fits.fitting(said.content));
      const toolCalls = withUniqueIds(readCalls(found, fits), usedIds);
      const reply = toolCalls.reduce((sum, call) => sum + call.arguments.length, content.length);
      const filtered = record(end.incomplete_details).reason === "content_filter";
      const dropped = room.dropped || fits.dropped || room.full;
      const items = dropped ? [] : toNative(found, toolCalls);
      return {
        content,
        toolCalls,
        refusal: said.refusal || (filtered ? WITHHELD : null),
        truncated: (cut && !filtered) || dropped,
        ...readUsage(record(end.usage), { request: requestChars, reply }),
        ...(items.length > 0 && { native: { origin, items } }),
      };
    },
  };
}

function isOver(status: unknown): boolean {
  return status !== "queued" && status !== "in_progress";
}

/**
 * The items of the end, unless it leaves them or calls out, as some servers do: then those of the events. Of
 * reasoning the events are sure to have the encrypted part.
 */
function better(last: Item[], seen: Item[]): Item[] {
  if (!says(last) && says(seen)) return seen;
  const thoughts = seen.filter(({ type }) => type === "reasoning");
  const calls = seen.filter(isWhole);
  const more = calls.length > last.filter(({ type }) => type === "function_call").length;
  const items = more ? [...last.filter(({ type }) => type !== "function_call"), ...calls] : last;
  return items.map((item) => {
    if (item.type !== "reasoning" || item.encrypted_content) return item;
    const same = thoughts.find((each) => each.id === item.id && each.encrypted_content);
    return same ?? item;
  });
}

/** Whether it is a call with all of its arguments. */
function isWhole({ type, arguments: args }: Item): boolean {
  const written = argumentsText(args);
  return type === "function_call" && (written.trim() === "" || isJsonObject(written));
}

function says(items: Item[]): boolean {
  const { content, refusal } = saidBy(items);
  return content !== "" || refusal !== "" || items.some(({ type }) => type === "function_call");
}

function readCalls(items: Item[], room: Room): ToolCall[] {
  const calls = items.filter(({ type }) => type === "function_call");
  if (calls.length > MAX_CALLS) room.drop();
  return calls.slice(0, MAX_CALLS).map((call) => ({
    id: text(call.call_id),
    name: toolName(room.fitting(text(call.name))),
    arguments: room.fitting(argumentsText(call.arguments)),
  }));
}

/** What has to go back as it came; nothing where the plain message says it all. */
function toNative(items: Item[], calls: ToolCall[]): Item[] {
  let next = 0;
  const kept = items.map(sendable).filter((item) => item !== null);
  if (kept.every(isPlain)) return [];
  const named = kept.map((item) => {
    if (item.type !== "function_call") return item;
    const call = calls[next++];
    return { ...item, call_id: call?.id, name: call?.name, arguments: call?.arguments };
  });
  return JSON.stringify(named).length > MAX_NATIVE ? [] : named;
}
