import { createHash } from "node:crypto";
import type { ChatMessage } from "../../core/model.ts";
import type { Adaptation } from "./adaptation.ts";

/** What every server takes as the id of a call: Mistral takes nothing else. */
const SHORT_ID = /^[a-zA-Z0-9]{9}$/;

/** The messages of a conversation in the order and with the ids that a server takes; the same ones each time. */
export function toWireMessages(
  messages: ChatMessage[],
  adapted: ReadonlySet<Adaptation>,
): ChatMessage[] {
  const named = adapted.has("short ids") ? messages.map(withShortIds) : messages;
  return adapted.has("bridge tool to user") ? bridged(named.filter(saysSomething)) : named;
}

/** An empty turn of the assistant is not sent: what stands around it meets. */
function saysSomething(message: ChatMessage): boolean {
  if (message.role !== "assistant") return true;
  return message.toolCalls.length > 0 || message.content.trim() !== "";
}

/** With a word of the assistant before each of the user that would not follow one. */
function bridged(messages: ChatMessage[]): ChatMessage[] {
  return messages.flatMap((message, at) => {
    const before = messages[at - 1]?.role;
    const apart = message.role === "user" && (before === "tool" || before === "user");
    return apart
      ? [{ role: "assistant", content: "Understood.", toolCalls: [] }, message]
      : [message];
  });
}

function withShortIds(message: ChatMessage): ChatMessage {
  if (message.role === "tool") return { ...message, callId: shortId(message.callId) };
  if (message.role !== "assistant") return message;
  const { native } = message;
  return {
    ...message,
    toolCalls: message.toolCalls.map((call) => ({ ...call, id: shortId(call.id) })),
    ...(native && { native: { ...native, items: native.items.map(withShortCallId) } }),
  };
}

function withShortCallId(item: Record<string, unknown>): Record<string, unknown> {
  const { call_id: id } = item;
  return typeof id === "string" ? { ...item, call_id: shortId(id) } : item;
}

function shortId(id: string): string {
  if (SHORT_ID.test(id)) return id;
  const hash = createHash("sha256").update(id).digest();
  return hash.readBigUInt64BE().toString(36).padStart(9, "0").slice(-9);
}
