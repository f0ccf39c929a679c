import { z } from "zod";
import type { ChatMessage, ToolCall } from "../../core/model.ts";
import { leftOutSteps } from "../notices.ts";
import { SKILL, shortened } from "./shorten.ts";

/**
 * How a conversation is made to fit. Both are numbers of messages from its beginning: those before `upTo`
 * are shortened, and replies with their results before `leftOut` (at most `upTo`) are not shown at all.
 */
export interface Compaction {
  upTo: number;
  leftOut: number;
}

const PLAN = z.object({
  items: z.array(z.object({ text: z.string().max(500), status: z.string().max(20) })).max(50),
});

/**
 * The messages as the model gets them. What the controller said stays whole, and so does the newest plan. It
 * depends on nothing but the messages before `upTo`; what comes after is as it is, so that each view begins
 * with the one before until the next compaction.
 */
export function viewOf(messages: ChatMessage[], { upTo, leftOut }: Compaction): ChatMessage[] {
  const old = messages.slice(0, upTo);
  const plan = newestPlan(old);
  const first = firstReply(messages);
  const view = old.slice(0, first);
  const steps = old.slice(0, leftOut).filter(({ role }) => role === "assistant").length;
  if (steps > 0) {
    const gone = plan !== null && plan.at < leftOut ? plan.items : [];
    view.push({
      role: "user",
      content: leftOutSteps(steps, gone, skillsOf(old.slice(0, leftOut))),
    });
  }
  let calls: ToolCall[] = [];
  for (const [at, message] of old.entries()) {
    if (at < first) continue;
    if (message.role === "assistant") calls = message.toolCalls;
    if (at < leftOut && message.role !== "user") continue;
    const call =
      message.role === "tool" ? calls.find(({ id }) => id === message.callId) : undefined;
    view.push(shortened(message, { call, keep: plan?.call }));
  }
  return [...view, ...messages.slice(upTo)];
}

/** Where the first reply stands; messages before it are the rules and the task. */
export function firstReply(messages: ChatMessage[]): number {
  const at = messages.findIndex(({ role }) => role === "assistant");
  return at < 0 ? messages.length : at;
}

/** The reply that last set the plan, with what it planned. */
function newestPlan(
  messages: ChatMessage[],
): { at: number; call: ToolCall; items: { text: string; status: string }[] } | null {
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (message?.role !== "assistant") continue;
    const call = message.toolCalls.findLast(({ name }) => name === "plan");
    if (call === undefined) continue;
    const items = planned(call.arguments);
    if (items !== null) return { at, call, items };
  }
  return null;
}

/** Names of skills that were read, once each, as the model wrote them. */
function skillsOf(messages: ChatMessage[]): string[] {
  const names = messages.flatMap((message) =>
    message.role === "assistant"
      ? message.toolCalls.flatMap(({ name, arguments: written }) =>
          name === SKILL ? (/^\{"name": ?"([a-z0-9-]{1,64})"\}$/.exec(written)?.[1] ?? []) : [],
        )
      : [],
  );
  return [...new Set(names)];
}

function planned(written: string): { text: string; status: string }[] | null {
  try {
    const parsed = PLAN.safeParse(JSON.parse(written));
    return parsed.success ? parsed.data.items : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
