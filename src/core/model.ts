export interface TokenUsage {
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
}

/** One message of a conversation with a model, in Chat Completions terms. */
export type ChatMessage =
  | { role: "system" | "user"; content: string }
  | { role: "assistant"; content: string; toolCalls: ToolCall[] }
  | { role: "tool"; callId: string; content: string };

export interface ToolCall {
  id: string;
  name: string;
  /** JSON as the model wrote it: not yet parsed, not trusted. */
  arguments: string;
  /** What the model's host wants back with the call, as it came (Gemini's thought signatures). */
  extra?: Record<string, unknown>;
}

/** A tool as the model sees it; `parameters` is a JSON Schema. */
export interface ToolSpec {
  name: string;
  description: string;
  parameters: Record<string, unknown>;
}

export interface ModelReply {
  content: string;
  toolCalls: ToolCall[];
  /** Set when the model or its host declined to answer. */
  refusal: string | null;
  /** True when the reply ended at the output limit. */
  truncated: boolean;
  usage: TokenUsage;
}

/** Any OpenAI-compatible model. Transient failures are retried inside, then thrown as TransientError. */
export interface Model {
  complete(request: {
    model: string;
    messages: ChatMessage[];
    tools: ToolSpec[];
    signal: AbortSignal;
    /** Called right before each try; throws when the reply would be nobody's. */
    insist?: () => void;
  }): Promise<ModelReply>;
}
