import type { ChatMessage, ToolCall } from "../core/model.ts";
import {
  CUT_REPLY,
  EMPTY_REPLY,
  INTERRUPTED,
  NOT_RUN,
  WRAP_UP_START,
  withoutSameAgain,
} from "./notices.ts";
import type { Watch } from "./watch.ts";

/** What the messages of a conversation that goes on do not say of themselves. */
export interface Resumed {
  /** Results of calls that could not do what they were meant to. */
  failed: ReadonlySet<ChatMessage>;
  /** Of the last reply. */
  truncated: boolean;
  refused: boolean;
  /** What the model has to know before it goes on; null for nothing. */
  notice: string | null;
}

/** Of a conversation that begins. */
export const NOTHING_BEFORE: Resumed = {
  failed: new Set(),
  truncated: false,
  refused: false,
  notice: null,
};

/** A reply as the loop goes on from it. */
export interface Said {
  content: string;
  toolCalls: ToolCall[];
  truncated: boolean;
  refusal: string | null;
}

/** The last reply, unless the controller spoke after it. */
export function lastSaid(messages: ChatMessage[], resumed: Resumed): Said | null {
  const at = messages.findLastIndex((message) => message.role === "assistant");
  const reply = messages[at];
  if (reply?.role !== "assistant") return null;
  if (messages.slice(at).some(({ role }) => role === "user")) return null;
  const { content, toolCalls } = reply;
  return {
    content,
    toolCalls,
    truncated: resumed.truncated,
    refusal: resumed.refused ? content : null,
  };
}

/** Calls of the last reply that have no result yet. */
export function unansweredCalls(messages: ChatMessage[]): ToolCall[] {
  const at = messages.findLastIndex((message) => message.role === "assistant");
  const reply = messages[at];
  if (reply?.role !== "assistant") return [];
  const answered = new Set(
    messages.slice(at).flatMap((message) => (message.role === "tool" ? [message.callId] : [])),
  );
  return reply.toolCalls.filter((call) => !answered.has(call.id));
}

/** How many of the last replies in a row were empty, without one that nobody answered yet. */
export function silentReplies(messages: ChatMessage[]): number {
  return repliesBefore(messages, EMPTY_REPLY);
}

/** How many of the last replies in a row were cut off before a call, without one that nobody answered yet. */
export function cutReplies(messages: ChatMessage[]): number {
  return repliesBefore(messages, CUT_REPLY);
}

/** How many of the last replies in a row the controller answered with these words. */
function repliesBefore(messages: ChatMessage[], words: string): number {
  const said = messages.filter(({ role }) => role !== "system").toReversed();
  if (said[0]?.role === "assistant") said.shift();
  const other = said.findIndex(({ role, content }, at) =>
    at % 2 === 0 ? role !== "user" || content !== words : role !== "assistant",
  );
  return Math.floor((other === -1 ? said.length : other) / 2);
}

/** Shows the watch what happened since the work last went back to the agent. */
export function replay(watch: Watch, messages: ChatMessage[], failed: Resumed["failed"]): void {
  let calls: ToolCall[] = [];
  for (const message of messages.slice(roundStart(messages))) {
    if (message.role === "assistant") calls = message.toolCalls;
    if (message.role !== "tool") continue;
    const call = calls.find(({ id }) => id === message.callId);
    const text = message.content;
    if (call === undefined || text === INTERRUPTED || text === NOT_RUN) continue;
    watch.see(call, { ok: !failed.has(message), text: withoutSameAgain(text), action: "" });
  }
}

/** Where the conversation went on after the last report. */
function roundStart(messages: ChatMessage[]): number {
  const report = messages.findLastIndex((message, at) => {
    if (message.role !== "assistant" || message.toolCalls.length > 0) return false;
    const next = messages[at + 1];
    return next?.role === "user" && next.content !== CUT_REPLY && next.content !== EMPTY_REPLY;
  });
  return report + 1;
}

/** The report of an earlier round, empty without one; what is said between tool calls is none. */
export function lastReport(messages: ChatMessage[]): string {
  const report = messages.findLast(
    (each) =>
      each.role === "assistant" && each.toolCalls.length === 0 && each.content.trim() !== "",
  );
  return report?.content ?? "";
}

/** Whether the model was told to wrap up, in this attempt or an earlier one. */
export function toldToWrapUp(messages: ChatMessage[]): boolean {
  return messages.some(({ role, content }) => role === "user" && content.startsWith(WRAP_UP_START));
}
