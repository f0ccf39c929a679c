import {
  type ChatRequest,
  type ModelServer,
  type ScriptedReply,
  startModelServer,
} from "../test/support/model-server.ts";
import { apiDocs } from "./scripts/api-docs.ts";
import { jwt } from "./scripts/jwt.ts";
import { paymentTests } from "./scripts/payment-tests.ts";
import type { Script } from "./scripts/script.ts";

const SCRIPTS: Script[] = [jwt, paymentTests, apiDocs];

/**
 * Starts an OpenAI-compatible server that knows three tasks by heart. It only replies: every file is
 * changed and every test is run by whoever asks it.
 */
export function startScriptedModel(): Promise<ModelServer> {
  return startModelServer(async (request) => {
    const said = request.messages.filter((message) => message.role === "assistant").length;
    await new Promise((resolve) => setTimeout(resolve, 300 + ((said * 67) % 200)));
    return { ...replyTo(request, said), usage: usageOf(request) };
  });
}

/** The scripted reply to a conversation in which the model has spoken `said` times. */
export function replyTo(
  request: Pick<ChatRequest, "messages">,
  said: number,
): Extract<ScriptedReply, { content?: string }> {
  const script = scriptFor(request);
  if (!script) return { content: "Leave the task alone\n\nThis script does not know the task." };
  const step = script.steps[said];
  if (!step) return { content: script.report };
  const lastReply = request.messages.findLastIndex((message) => message.role === "assistant");
  const results = request.messages.slice(lastReply + 1).map((message) => message.content);
  if (step.expect && !step.expect.test(results.join("\n"))) {
    const content = `Stop half-way\n\nStep ${said + 1} of the script expected ${step.expect}.`;
    return { content };
  }
  const toolCalls = step.calls.map(([name, args]) => ({ name, arguments: args }));
  return { content: step.say, toolCalls };
}

/** The task stands behind the last "Your task" of the prompt. */
function scriptFor({ messages }: Pick<ChatRequest, "messages">): Script | undefined {
  const prompt = messages.find((message) => message.role === "user")?.content ?? "";
  const task = prompt.slice(prompt.lastIndexOf("Your task"));
  return SCRIPTS.find((script) => task.includes(script.task));
}

/** About four bytes make a token; what was sent before comes from the cache, in blocks of 128. */
function usageOf({ messages }: ChatRequest) {
  const tokens = (part: unknown) => Math.ceil(JSON.stringify(part).length / 4);
  const prompt = tokens(messages);
  const lastReply = messages.findLastIndex((message) => message.role === "assistant");
  const known = lastReply > 0 ? tokens(messages.slice(0, lastReply)) : 0;
  const completion = 60 + (prompt % 40);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: Math.floor(known / 128) * 128 },
  };
}
