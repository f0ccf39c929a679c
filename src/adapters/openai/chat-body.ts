import type { ChatMessage, ProviderRequest, ToolCall } from "../../core/model.ts";
import type { Adaptation } from "./adaptation.ts";
import { sentArguments, sentName } from "./tool-call.ts";
import { toWireMessages } from "./wire-messages.ts";

/** How the server of a request is to be spoken to. */
export interface Dialect {
  /** Provider and model, as `provider/model`: what another gave in its own form is not sent. */
  origin: string;
  /** Whether it is OpenAI itself or Azure, which refuse `max_tokens`. */
  openai: boolean;
  adapted: ReadonlySet<Adaptation>;
}

/** What Google documents for calls that another model made. */
const ANY_SIGNATURE = { google: { thought_signature: "skip_thought_signature_validator" } };

/**
 * The body of a Chat Completions request. What grows comes last and depends on the messages alone, so
 * that a longer conversation starts with the same bytes as a shorter one and the server's prompt cache holds.
 */
export function toChatBody(request: ProviderRequest, dialect: Dialect): Record<string, unknown> {
  const limits = limitFields(dialect).map((field) => [field, request.maxOutput]);
  return {
    model: request.model,
    stream: true,
    ...(!dialect.adapted.has("no stream_options") && { stream_options: { include_usage: true } }),
    ...(request.effort !== null && { reasoning_effort: request.effort }),
    ...(request.tools.length > 0 && {
      tools: request.tools.map((tool) => ({ type: "function", function: { ...tool } })),
    }),
    messages: toWireMessages(request.messages, dialect.adapted).flatMap((message) =>
      toMessage(message, dialect),
    ),
    ...(request.maxOutput !== null && Object.fromEntries(limits)),
  };
}

/** Whether what the server gave in its own form is sent back. */
export function takesNative({ adapted }: Dialect): boolean {
  return !adapted.has("no native") && !adapted.has("never native");
}

type LimitField = "max_tokens" | "max_completion_tokens";

/** The fields that limit a reply: each server knows one or the other. */
export function limitFields({ openai, adapted }: Dialect): LimitField[] {
  const known: LimitField[] = openai
    ? [adapted.has("no max_completion_tokens") ? "max_tokens" : "max_completion_tokens"]
    : ["max_completion_tokens", "max_tokens"];
  return known.filter((field) => !adapted.has(`no ${field}`));
}

function toMessage(message: ChatMessage, dialect: Dialect): Record<string, unknown>[] {
  const content = message.content.toWellFormed();
  switch (message.role) {
    case "tool":
      return [{ role: "tool", tool_call_id: message.callId, content }];
    case "assistant": {
      const { toolCalls } = message;
      if (toolCalls.length > 0) {
        const calls = toolCalls.map((call) => toCall(call, message, dialect));
        const reasoning = reasoningOf(message, dialect);
        return [{ role: "assistant", content: content || null, ...reasoning, tool_calls: calls }];
      }
      // An empty turn says nothing, and some servers refuse it.
      if (content.trim() === "") return [];
      return [{ role: "assistant", content, ...reasoningOf(message, dialect) }];
    }
    default:
      return [{ role: message.role, content }];
  }
}

type Assistant = Extract<ChatMessage, { role: "assistant" }>;

function toCall(call: ToolCall, { native }: Assistant, dialect: Dialect): Record<string, unknown> {
  const own = (native === undefined || native.origin === dialect.origin) && takesNative(dialect);
  const filled = dialect.adapted.has("fill thought_signature") ? ANY_SIGNATURE : undefined;
  const extra = (own ? call.extra : undefined) ?? filled;
  return {
    id: call.id,
    type: "function",
    function: { name: sentName(call.name), arguments: sentArguments(call.arguments) },
    ...(extra && { extra_content: extra }),
  };
}

/** Reasoning in the fields that this server gave it in: with tools, many want it back. */
function reasoningOf({ native, toolCalls }: Assistant, dialect: Dialect): Record<string, unknown> {
  const { adapted, origin } = dialect;
  if (adapted.has("no reasoning")) return {};
  const given = native?.origin === origin && takesNative(dialect) ? native.items[0] : {};
  if (!adapted.has("fill reasoning_content") || toolCalls.length === 0) return { ...given };
  // Kimi refuses an empty one; what another model thought is not known here.
  return { ...given, reasoning_content: given?.reasoning_content || " " };
}
