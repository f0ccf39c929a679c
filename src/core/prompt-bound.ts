import type { ChatMessage, TokenUsage, ToolSpec } from "./model.ts";

/** Tokens by which providers frame a message, and a conversation with tools: more than any documented. */
const PER_MESSAGE = 16;
const PER_CONVERSATION = 1000;
/** Up to here bytes decide whatever was counted before: it costs little, and not every server counts alike each time. */
const ALWAYS_BYTES = 50_000;

/** How many tokens a prompt has at most: what money is reserved by. */
export interface PromptBound {
  of(origin: string, messages: readonly ChatMessage[], tools: readonly ToolSpec[]): number;
  /** A provider counted a prompt and its reply. */
  told(origin: string, messages: readonly ChatMessage[], usage: TokenUsage): void;
}

/**
 * Bounds prompts by their bytes, for no tokenizer makes more tokens than those; a long one by what its provider
 * counted last plus the bytes of what came since. `origin` names who counts.
 */
export function createPromptBound(): PromptBound {
  const known = new Map<string, { tokens: number; seen: WeakSet<ChatMessage> }>();
  const sizes = new WeakMap<ChatMessage, { plain: number; native: number }>();

  function sizeOf(message: ChatMessage, origin: string): number {
    const size = sizes.get(message) ?? { plain: bytesOf(message), native: nativeBytes(message) };
    sizes.set(message, size);
    // Only who gave it gets the reasoning back.
    const own = message.role === "assistant" && message.native?.origin === origin;
    return own ? size.plain + size.native : size.plain;
  }

  return {
    of(origin, messages, tools) {
      const frame = Buffer.byteLength(JSON.stringify(tools)) + PER_CONVERSATION;
      const most = messages.reduce((sum, each) => sum + sizeOf(each, origin), frame);
      const before = known.get(origin);
      if (before === undefined || most <= ALWAYS_BYTES) return most;
      const since = messages.filter((each) => !before.seen.has(each));
      // The first of them is the reply, which was counted as such.
      const [first, ...rest] = since;
      const told = first?.role === "assistant" ? PER_MESSAGE * (1 + first.toolCalls.length) : 0;
      const unseen = first?.role === "assistant" ? rest : since;
      const counted = unseen.reduce(
        (sum, each) => sum + sizeOf(each, origin),
        before.tokens + told,
      );
      return Math.min(most, Math.max(counted, ALWAYS_BYTES));
    },
    told(origin, messages, { inputTokens, outputTokens }) {
      known.set(origin, { tokens: inputTokens + outputTokens, seen: new WeakSet(messages) });
    },
  };
}

function bytesOf(message: ChatMessage): number {
  const calls = message.role === "assistant" ? message.toolCalls : [];
  return calls.reduce(
    (sum, call) =>
      sum +
      Buffer.byteLength(call.name) +
      Buffer.byteLength(call.arguments) +
      (call.extra ? Buffer.byteLength(JSON.stringify(call.extra)) : 0) +
      PER_MESSAGE,
    Buffer.byteLength(message.content) + PER_MESSAGE,
  );
}

function nativeBytes(message: ChatMessage): number {
  if (message.role !== "assistant" || !message.native) return 0;
  return Buffer.byteLength(JSON.stringify(message.native.items));
}
