import type { ToolCall } from "../../core/model.ts";
import { MAX_CALLS, type Room } from "./assembly.ts";
import { isJsonObject, record, text } from "./json.ts";
import { argumentsText } from "./tool-call.ts";

/** How often one reply may make us look whether a call is complete: each look reads all of it. */
const MAX_LOOKS = 1000;

/** The calls of a Chat Completions reply as their pieces make them. */
export interface ChatCalls {
  /** Takes one of `tool_calls`; `place` is its index where it has none of its own. */
  add(piece: unknown, place: number | null): void;
  readonly all: ToolCall[];
  /** Whether each has all of its arguments. */
  complete(): boolean;
}

/**
 * Collects calls from pieces without index or id, under one index, in turns, with arguments as an
 * object, or with `{}` in place of those that follow. Where no id tells, another call begins with another name,
 * or with a name or an object after complete arguments.
 */
export function createChatCalls(room: Room): ChatCalls {
  const all: ToolCall[] = [];
  const byIndex = new Map<number, ToolCall>();
  /** A name alone after a call of that name: another call where arguments follow, else an echo. */
  const echoes = new Set<ToolCall>();
  let latest: ToolCall | undefined;
  let looks = MAX_LOOKS;

  function isComplete(written: string): boolean {
    looks -= 1;
    return looks >= 0 && isJsonObject(written);
  }

  /** The call that a piece goes on with, if it goes on with any: the index says it, then the id, then the order. */
  function currentOf(index: number | null, id: string): ToolCall | undefined {
    const there = index === null ? latest : byIndex.get(index);
    if (id === "" || there === undefined || there.id === id) return there;
    return all.findLast((call) => call.id === id) ?? there;
  }

  return {
    add(piece, place) {
      const delta = record(piece);
      const fn = record(delta.function);
      const index = indexOf(delta.index) ?? place;
      const id = room.fitting(text(delta.id));
      const name = room.fitting(text(fn.name));
      const args = room.fitting(argumentsText(fn.arguments));
      const extra = room.fittingRecord(delta.extra_content);
      const current = currentOf(index, id);
      if (current && !startsNewCall(current, { id, name, args }, isComplete)) {
        latest = current;
        current.id ||= id;
        current.name ||= name;
        const stoodIn = isEmptyObject(current.arguments) && args.trimStart().startsWith("{");
        current.arguments = stoodIn ? args : current.arguments + args;
        if (extra) current.extra = { ...current.extra, ...extra };
        return;
      }
      if (name === "" && args.trim() === "") return;
      const bare = args.trim() === "" && id === "";
      if (all.length === MAX_CALLS) {
        room.drop();
        return;
      }
      // Some servers name the function only once, and give it the arguments of several calls.
      latest = {
        id,
        name: name || (current?.name ?? ""),
        arguments: args,
        ...(extra && { extra }),
      };
      all.push(latest);
      if (bare && current?.name === name) echoes.add(latest);
      if (index !== null) byIndex.set(index, latest);
    },
    get all() {
      return all.filter((call) => !echoes.has(call) || call.arguments.trim() !== "");
    },
    complete: () => all.every(({ arguments: args }) => args.trim() === "" || isJsonObject(args)),
  };
}

/** Some servers write it as a text. */
function indexOf(value: unknown): number | null {
  if (typeof value === "string" && /^\d{1,6}$/.test(value)) return Number(value);
  return typeof value === "number" ? value : null;
}

/** A delta opens a call unless it can still belong to the current one. */
function startsNewCall(
  current: ToolCall,
  delta: { id: string; name: string; args: string },
  isComplete: (written: string) => boolean,
): boolean {
  const empty = isEmptyObject(current.arguments);
  if (delta.name === "") {
    return delta.args.trimStart().startsWith("{") && !empty && isComplete(current.arguments);
  }
  const both = delta.id !== "" && current.id !== "";
  if (both && delta.id !== current.id) return true;
  if (both && (empty || delta.args.trim() === "")) return false;
  if (!both && current.name !== "" && delta.name !== current.name) return true;
  return isComplete(current.arguments);
}

/** Whether the arguments may stand for ones that are still to come. */
function isEmptyObject(args: string): boolean {
  return args.length < 20 && /^\s*\{\s*\}\s*$/.test(args);
}
