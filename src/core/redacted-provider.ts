import type { ChatMessage, Provider } from "./model.ts";

/** A provider that is never told our own secrets, whoever wrote them where a model was sent to read. */
export function redactedProvider(provider: Provider, redact: (text: string) => string): Provider {
  /** A conversation is sent again with each step; each of its messages is looked through once. */
  const told = new WeakMap<ChatMessage, ChatMessage>();
  const redacted = (message: ChatMessage) => {
    // What the model itself said in its calls it knows; its host wants that back as it came.
    const known = told.get(message) ?? { ...message, content: redact(message.content) };
    told.set(message, known);
    return known;
  };
  return {
    tryOnce: (request) =>
      provider.tryOnce({ ...request, messages: request.messages.map(redacted) }),
  };
}
