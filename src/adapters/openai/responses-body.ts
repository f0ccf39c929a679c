import type { ChatMessage, ProviderRequest } from "../../core/model.ts";
import { type Dialect, takesNative } from "./chat-body.ts";
import { text } from "./json.ts";
import { saidBy } from "./responses-items.ts";
import { sentArguments, sentName } from "./tool-call.ts";
import { toWireMessages } from "./wire-messages.ts";

type Item = Record<string, unknown>;

/**
 * The body of a Responses request that leaves nothing behind: the server stores no conversation, all of it
 * is sent, reasoning as it was given in encrypted form. What grows comes last, as the longer conversation
 * starts with the same bytes as the shorter one.
 */
export function toResponsesBody(request: ProviderRequest, dialect: Dialect): Item {
  const { tools, maxOutput, effort } = request;
  const messages = toWireMessages(request.messages, dialect.adapted);
  const [first, ...rest] = messages;
  const instructed = first?.role === "system";
  return {
    model: request.model,
    stream: true,
    ...(!dialect.adapted.has("no store") && { store: false }),
    ...(!dialect.adapted.has("no include") && { include: ["reasoning.encrypted_content"] }),
    ...(effort !== null && { reasoning: { effort } }),
    ...(tools.length > 0 && {
      tools: tools.map((tool) => ({ type: "function", ...tool, strict: false })),
      ...(!dialect.adapted.has("no parallel_tool_calls") && { parallel_tool_calls: true }),
    }),
    ...(instructed && { instructions: first.content.toWellFormed() }),
    input: (instructed ? rest : messages).flatMap((message) => toItems(message, dialect)),
    ...(maxOutput !== null && { max_output_tokens: maxOutput }),
  };
}

function toItems(message: ChatMessage, dialect: Dialect): Item[] {
  const content = message.content.toWellFormed();
  switch (message.role) {
    case "tool":
      return [{ type: "function_call_output", call_id: message.callId, output: content }];
    case "assistant": {
      const native = nativeItems(message, dialect);
      if (native) return native;
      const calls = message.toolCalls.map((call) => ({
        type: "function_call",
        call_id: call.id,
        name: sentName(call.name),
        arguments: sentArguments(call.arguments),
      }));
      // A text, not parts: parts of an assistant's message belong to an item with an id.
      const said = content.trim() === "" ? [] : [{ type: "message", role: "assistant", content }];
      return [...said, ...calls];
    }
    default:
      return [
        { type: "message", role: message.role, content: [{ type: "input_text", text: content }] },
      ];
  }
}

type Assistant = Extract<ChatMessage, { role: "assistant" }>;

/**
 * The reply as its model gave it. Null where that was another model, or the message says something else
 * by now: calls have to agree with their outputs.
 */
function nativeItems(message: Assistant, dialect: Dialect): Item[] | null {
  const { native, toolCalls } = message;
  if (native?.origin !== dialect.origin || !takesNative(dialect)) return null;
  const { items } = native;
  const ids = items.filter(isCall).map(({ call_id: id }) => id);
  const agree =
    ids.length === toolCalls.length && toolCalls.every((call, place) => call.id === ids[place]);
  const { content, refusal } = saidBy(items);
  if (!agree || (message.content !== content && message.content !== refusal)) return null;
  // Reasoning that nothing follows is refused: a reply that was cut ends so.
  const last = items.findLastIndex(({ type }) => type !== "reasoning");
  return items
    .slice(0, last + 1)
    .map((item) =>
      isCall(item) ? { ...item, arguments: sentArguments(text(item.arguments)) } : item,
    );
}

function isCall({ type }: Item): boolean {
  return type === "function_call";
}
