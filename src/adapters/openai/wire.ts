import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import type { ChatMessage, ToolSpec } from "../../core/model.ts";
import { isJsonObject } from "./reply.ts";

/**
 * The body of a Chat Completions request. It depends on the messages alone, so that a longer
 * conversation starts with the same bytes as a shorter one and the server's prompt cache holds.
 */
export function toBody(
  request: { model: string; messages: ChatMessage[]; tools: ToolSpec[] },
  streamOptions: boolean,
): ChatCompletionCreateParamsStreaming {
  return {
    model: request.model,
    messages: request.messages.flatMap(toMessage),
    ...(request.tools.length > 0 && {
      tools: request.tools.map((tool) => ({ type: "function", function: { ...tool } })),
    }),
    stream: true,
    ...(streamOptions && { stream_options: { include_usage: true } }),
  };
}

function toMessage(message: ChatMessage): ChatCompletionMessageParam[] {
  const content = message.content.toWellFormed();
  switch (message.role) {
    case "tool":
      return [{ role: "tool", tool_call_id: message.callId, content }];
    case "assistant":
      if (message.toolCalls.length > 0) {
        const calls = message.toolCalls.map((call) => ({
          id: call.id,
          type: "function" as const,
          function: { name: call.name, arguments: toArguments(call.arguments.toWellFormed()) },
          ...(call.extra && { extra_content: call.extra }),
        }));
        return [{ role: "assistant", content: content || null, tool_calls: calls }];
      }
      // An empty turn says nothing, and some servers refuse it.
      return content.trim() === "" ? [] : [{ role: "assistant", content }];
    default:
      return [{ role: message.role, content }];
  }
}

/**
 * Servers that render the history by a template (vLLM, llama.cpp) parse the arguments of every
 * past call and fail the whole request on anything but an object: a broken one is sent wrapped.
 */
function toArguments(written: string): string {
  if (written.trim() === "") return "{}";
  return isJsonObject(written) ? written : JSON.stringify({ invalid: written.slice(0, 2000) });
}
