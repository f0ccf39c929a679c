import { isRecord, list, record, text } from "./json.ts";

type Item = Record<string, unknown>;

/**
 * What an item leaves out when it is sent back. Nothing is stored, so an id leads nowhere ("Item with id …
 * not found"); `status` and `logprobs` are the server's to say.
 */
const ONE_WAY = ["id", "status", "logprobs"];

/** Calls of tools that nobody offered, which would wait for an output forever. */
const UNASKED = /_call$|_request$|_output$/;

/**
 * Of a reply that calls no function, calls of tools in a form of their own (`custom_tool_call`, `apply_patch_call`,
 * `local_shell_call`) as such: nobody offered them, and the model has to hear that. What the server ran itself
 * asks for no answer.
 */
export function withCalls(items: Item[]): Item[] {
  return items.some(({ type }) => type === "function_call") ? items : items.map(asFunctionCall);
}

function asFunctionCall(item: Item): Item {
  const { type, call_id: callId, name, input, arguments: args } = item;
  if (type === "function_call" || typeof type !== "string") return item;
  if (!type.endsWith("_call") || !text(callId)) return item;
  const own = ["type", "id", "call_id", "status", "name"];
  const rest = Object.entries(item).filter(([key]) => !own.includes(key));
  return {
    type: "function_call",
    call_id: callId,
    name: text(name) || type.slice(0, -"_call".length),
    arguments: args ?? JSON.stringify(input === undefined ? Object.fromEntries(rest) : { input }),
  };
}

/**
 * An item of a reply as it goes back with the conversation; null where it must not. Reasoning is of use
 * encrypted, or in plain text where a server gives it so; whatever else is unknown goes back as it came.
 */
export function sendable(item: Item): Item | null {
  const { type } = item;
  if (typeof type !== "string") return null;
  if (type !== "function_call" && UNASKED.test(type)) return null;
  if (type === "reasoning" && !text(item.encrypted_content) && list(item.content).length === 0) {
    return null;
  }
  // Without `summary` it is refused by whoever checks by OpenAI's types (https://github.com/newo-ether/Agora/issues/141).
  return type === "reasoning" ? { ...stripped(item), summary: list(item.summary) } : stripped(item);
}

function stripped(item: Item): Item {
  const kept = Object.entries(item).filter(
    ([key, value]) => !ONE_WAY.includes(key) && value !== null,
  );
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      key === "content" && Array.isArray(value)
        ? value.map((part) => (isRecord(part) ? stripped(part) : part))
        : typeof value === "string"
          ? value.toWellFormed()
          : value,
    ]),
  );
}

/** Whether an item says nothing beyond what text and calls of the message say. */
export function isPlain(item: Item): boolean {
  if (item.type === "message") return item.phase === undefined;
  return item.type === "function_call" && !("namespace" in item) && !("caller" in item);
}

/** The text of a reply, and of its refusal. Where it is the answer, what was said on the way to it is left out. */
export function saidBy(items: Item[]): { content: string; refusal: string } {
  const messages = items.filter(({ type }) => type === "message");
  const answers = messages.filter(({ phase }) => phase === "final_answer");
  const working = items.some(({ type }) => type === "function_call");
  const shown = answers.length > 0 && !working ? answers : messages;
  const words = (key: "text" | "refusal") => (item: Item) =>
    typeof item.content === "string"
      ? key === "text"
        ? item.content
        : ""
      : list(item.content)
          .map((part) => text(record(part)[key]))
          .join("");
  const joined = (key: "text" | "refusal") =>
    shown
      .map(words(key))
      .filter((each) => each !== "")
      .join("\n\n");
  return { content: joined("text"), refusal: joined("refusal") };
}
