import type { ChatMessage } from "../core/model.ts";
import type { Attempt } from "./attempt.ts";

/** Puts a message into the conversation, with why. */
export async function sendBack(
  attempt: Attempt,
  messages: ChatMessage[],
  text: string,
  why: { reason: string; failedChecks?: true },
): Promise<void> {
  const message: ChatMessage = { role: "user", content: text };
  messages.push(message);
  await attempt.write({}, [
    { type: "round", ...why },
    { type: "message", message },
  ]);
}
