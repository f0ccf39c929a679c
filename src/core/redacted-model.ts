import type { ChatMessage, Model } from "./model.ts";

/** A model that is never told our own secrets, whoever wrote them where it was sent to read. */
export function redactedModel(model: Model, redact: (text: string) => string): Model {
  /** A conversation is sent again with each step; each of its messages is looked through once. */
  const told = new WeakMap<ChatMessage, ChatMessage>();
  const redacted = (message: ChatMessage) => {
    // What the model itself said in its calls it knows; its host wants that back as it came.
    const known = told.get(message) ?? { ...message, content: redact(message.content) };
    told.set(message, known);
    return known;
  };
  return {
    complete: (request) => model.complete({ ...request, messages: request.messages.map(redacted) }),
  };
}
