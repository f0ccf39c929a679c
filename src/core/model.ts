import type { CapReached } from "./ledger.ts";

/** Tokens of one model call as its provider counted them. */
export interface TokenUsage {
  /** All of the prompt, cached tokens included. */
  inputTokens: number;
  cachedTokens: number;
  /** Of those that were not cached, what was written to the cache; absent where the provider does not tell. */
  cacheWriteTokens?: number;
  /** All that was billed as output, reasoning included. */
  outputTokens: number;
  /** Part of the output that nobody sees; absent where the provider does not tell. */
  reasoningTokens?: number;
}

/** One message of a conversation with a model, in Chat Completions terms. */
export type ChatMessage =
  | { role: "system" | "user"; content: string }
  | { role: "assistant"; content: string; toolCalls: ToolCall[]; native?: NativeItems }
  | { role: "tool"; callId: string; content: string };

/** A reply in the form of the provider that gave it, reasoning included: no other understands it. */
interface NativeItems {
  /** Provider id and its name of the model, as `provider/model`. */
  origin: string;
  items: Record<string, unknown>[];
}

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
  /** False when the provider told no believable usage, and `usage` is an estimate. */
  usageReported: boolean;
  native?: NativeItems;
}

/** One request to one model of a provider. */
export interface ProviderRequest {
  /** The name the provider knows the model by. */
  model: string;
  /** Reasoning effort as the provider names it; null: its own. */
  effort: string | null;
  /** Most tokens of the reply, reasoning included; null: as many as the provider gives. */
  maxOutput: number | null;
  messages: ChatMessage[];
  tools: ToolSpec[];
  /** Our id of the call, which the provider's operator finds in its logs (X-Client-Request-Id). */
  callId: string;
  signal: AbortSignal;
  /** Called right before the request leaves: until then nobody was asked. */
  onSend?: () => void;
}

/** What became of one request. */
export type Tried =
  | {
      kind: "reply";
      reply: ModelReply;
      /** The provider's id of the request; null when it gave none. */
      requestId: string | null;
    }
  /**
   * May pass: to be tried again, not before `afterMs` when the provider said so. `billed`: it may have cost
   * something, as nobody told that it did not; `usage`: what it cost, where that was told. `operator`: where it does not pass, a setting is wrong.
   */
  | {
      kind: "passing";
      message: string;
      afterMs: number | null;
      billed: boolean;
      usage?: TokenUsage;
      operator: boolean;
    }
  /** The conversation does not fit the model's context window. */
  | { kind: "too_long"; message: string }
  /** Will not pass: `message` tells the operator what to do. */
  | { kind: "final"; message: string }
  /** The provider's content filter declined the request itself. */
  | { kind: "refused"; message: string };

/** A server of models. Throws only what `signal` was aborted with. */
export interface Provider {
  tryOnce(request: ProviderRequest): Promise<Tried>;
}

/** A provider in whose line calls wait for their turn. */
export interface PacedProvider extends Provider {
  /**
   * For how many ms a model of it is not asked, as it said so of the model, or keeps failing; 0 when it may
   * be. A call meanwhile fails at once as one that may pass.
   */
  restsFor(model: string): number;
}

/** What the agent of a job gets when it asks. */
export type Answer =
  | {
      status: "reply";
      reply: ModelReply;
      /** Who gave it, as `provider/model`. */
      origin: string;
      /** Share of the job's budget that is used, from 0 to 1. */
      used: number;
    }
  /** The call does not fit what may still be spent, and was not made; under which cap. */
  | { status: "over_budget"; why: CapReached }
  /**
   * No model of the route that is there has a window for a conversation as long as this; `due`: when one that
   * may have it is there again, in ms since the epoch, null when none will be.
   */
  | { status: "too_long"; due: number | null };

/** The model of one job, whichever its route leads to. Transient failures are retried inside, then thrown as NoReply. */
export interface Model {
  /** Tokens that the conversation may have, the reply included; 0 when nobody knows. */
  window(): number;
  ask(request: {
    messages: ChatMessage[];
    tools: ToolSpec[];
    /** The step of the job that the reply will be. */
    step: number;
    signal: AbortSignal;
    /** Hears what is waited for that other jobs hold, such as "room under the budget of $5 …", before the wait. */
    onWait?: (what: string) => Promise<void>;
    /** Hears why a try gave no reply, and may pass. */
    onFail?: (said: string) => void;
    /** How long the job may still wait for a reply, in ms: a longer wait is not begun. */
    timeLeftMs?: () => number;
  }): Promise<Answer>;
}
