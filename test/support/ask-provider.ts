import { createProvider, type ProviderOptions } from "../../src/adapters/openai/provider.ts";
import type {
  ChatMessage,
  ModelReply,
  ProviderRequest,
  ToolSpec,
  Tried,
} from "../../src/core/model.ts";

export const KEY = "sk-test-0123456789abcdef";

export const HELLO: ChatMessage[] = [
  { role: "system", content: "You help." },
  { role: "user", content: "Say hello." },
];

const SHELL: ToolSpec = {
  name: "shell",
  description: "Runs a command.",
  parameters: { type: "object", properties: { command: { type: "string" } } },
};

/** Asks a provider once, for as much as a test says. */
export function askAt(baseURL: string, options: Partial<ProviderOptions> = {}) {
  const logged: string[] = [];
  const provider = createProvider({
    id: "house",
    apiKey: KEY,
    baseURL,
    api: "chat",
    headers: {},
    settings: { key: "HOUSE_KEY", baseURL: "providers.house.baseURL", model: "models" },
    log: { warn: (fields, message) => logged.push(`${JSON.stringify(fields)} ${message}`) },
    ...options,
  });
  const ask = (request: Partial<ProviderRequest> = {}): Promise<Tried> =>
    provider.tryOnce({
      model: "m-1",
      effort: null,
      maxOutput: null,
      messages: HELLO,
      tools: [SHELL],
      callId: "0199-call",
      signal: new AbortController().signal,
      ...request,
    });
  return { ask, logged };
}

/** The reply; anything else fails the test. */
export function replyOf(tried: Tried): ModelReply {
  if (tried.kind !== "reply") throw new Error(`${tried.kind}: ${tried.message}`);
  return tried.reply;
}
