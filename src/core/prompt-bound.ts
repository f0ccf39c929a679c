import type { ChatMessage, TokenUsage, ToolSpec } from "./model.ts";

/** Tokens by which providers frame a message, and a conversation with tools: more than any documented. */
const PER_MESSAGE = 16;
const PER_CONVERSATION = 1000;

/** How many tokens a prompt has at most: what money is reserved by. */
export interface PromptBound {
  of(origin: string, messages: readonly ChatMessage[], tools: readonly ToolSpec[]): number;
  /** A provider counted a prompt and its reply. */
  told(origin: string, messages: readonly ChatMessage[], usage: TokenUsage): void;
}

/**
 * Bounds prompts by what the provider counted last, plus the bytes of what came since: no tokenizer makes
 * more tokens than bytes. `origin` names who counts; before its first word all bytes count.
 */
export function createPromptBound(): PromptBound {
  const known = new Map<string, { tokens: number; seen: WeakSet<ChatMessage> }>();
  return {
    of(origin, messages, tools) {
      const before = known.get(origin);
      if (before === undefined) {
        return (
          messages.reduce((sum, each) => sum + most(each), bytes(JSON.stringify(tools))) +
          PER_CONVERSATION
        );
      }
      const { tokens, seen } = before;
      const since = messages.filter((each) => !seen.has(each));
      // The first of them is the reply, which was counted as such.
      const [first, ...rest] = since;
      const told = first?.role === "assistant" ? PER_MESSAGE * (1 + first.toolCalls.length) : 0;
      const unseen = first === undefined || first.role === "assistant" ? rest : since;
      return unseen.reduce((sum, each) => sum + most(each), tokens + told);
    },
    told(origin, messages, { inputTokens, outputTokens }) {
      known.set(origin, { tokens: inputTokens + outputTokens, seen: new WeakSet(messages) });
    },
  };
}

function most(message: ChatMessage): number {
  const calls = message.role === "assistant" ? message.toolCalls : [];
  return calls.reduce(
    (sum, call) => sum + bytes(call.name) + bytes(call.arguments) + PER_MESSAGE,
    bytes(message.content) + PER_MESSAGE,
  );
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
