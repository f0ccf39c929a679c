import { createHash } from "node:crypto";
import type { ChatRequest } from "./model-server.ts";

type Item = Record<string, unknown>;

/** What the Responses API refuses, as it says it. */
export interface ApiRefusal {
  status: number;
  body: { error: { message: string; type: string; param: string | null; code: string | null } };
}

/** A reply to be told as Responses events. */
export interface ResponsesReply {
  content: string;
  calls: { id: string; name: string; arguments: string }[];
  refusal: string | null;
  /** As Chat Completions names it. */
  finish: string;
  usage: Item | null;
}

const FIELDS = [
  "model",
  "instructions",
  "input",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "include",
  "store",
  "stream",
  "max_output_tokens",
];

/** The side of a stand-in that speaks Responses, stateless: nothing is stored, and nothing else accepted. */
export function createResponsesApi() {
  /** The reasoning that stood before each call that was made here. */
  const reasons = new Map<string, Set<string>>();
  let made = 0;

  /**
   * The request in the terms of Chat Completions, or why OpenAI would refuse it. Adds to `lost` the ids of
   * calls that come back without the reasoning they were made with.
   */
  function read(body: Item, lost: string[]): ChatRequest | ApiRefusal {
    const unknown = Object.keys(body).find((key) => !FIELDS.includes(key));
    if (unknown) return refusal(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter");
    const input = body.input as Item[];
    if (!Array.isArray(input)) return refusal("Invalid type for 'input'.", "input");
    const limit = body.max_output_tokens as number | undefined;
    if (limit !== undefined && limit < 16) {
      const message = `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${limit} instead.`;
      return refusal(message, "max_output_tokens", "integer_below_min_value");
    }
    const messages: ChatRequest["messages"] = [];
    if (typeof body.instructions === "string") {
      messages.push({ role: "system", content: body.instructions });
    }
    let sealed: string | null = null;
    const open = new Set<string>();
    for (const [place, item] of input.entries()) {
      const at = `input[${place}]`;
      if (item.id !== undefined) {
        const message = `Item with id '${item.id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`;
        return { ...refusal(message, "input"), status: 404 };
      }
      if (item.status !== undefined)
        return refusal(`Unknown parameter: '${at}.status'.`, `${at}.status`);
      if (item.type === "reasoning") {
        if (!Array.isArray(item.summary)) {
          return refusal(`Missing required parameter: '${at}.summary'.`, `${at}.summary`);
        }
        sealed = String(item.encrypted_content);
        if (!isSealed(sealed)) {
          const message = `The encrypted content ${sealed.slice(0, 4)}... could not be verified.`;
          return refusal(message, null, "invalid_encrypted_content");
        }
        const next = input[place + 1]?.type;
        if (next !== "function_call" && next !== "message") {
          return refusal(
            "Item of type 'reasoning' was provided without its required following item.",
            "input",
          );
        }
        continue;
      }
      const last = messages.at(-1);
      switch (item.type) {
        case "function_call": {
          const id = String(item.call_id);
          if (reasons.get(id)?.has(sealed ?? "") === false) lost.push(id);
          if (typeof item.arguments !== "string")
            return refusal(`Invalid type for '${at}.arguments'.`, at);
          open.add(id);
          const call = { id, function: { name: String(item.name), arguments: item.arguments } };
          if (last?.role === "assistant") last.tool_calls = [...(last.tool_calls ?? []), call];
          else messages.push({ role: "assistant", content: null, tool_calls: [call] });
          break;
        }
        case "function_call_output": {
          const id = String(item.call_id);
          if (!open.delete(id)) {
            return refusal(
              `No tool call found for function call output with call_id ${id}.`,
              "input",
            );
          }
          messages.push({ role: "tool", tool_call_id: id, content: String(item.output) });
          sealed = null;
          break;
        }
        case "message":
          messages.push({ role: String(item.role), content: words(item.content) });
          break;
        default:
          return refusal(`Invalid value: '${item.type}'.`, `${at}.type`);
      }
    }
    const [waiting] = open;
    if (waiting) return refusal(`No tool output found for function call ${waiting}.`, "input");
    return {
      model: String(body.model),
      messages,
      ...(Array.isArray(body.tools) && {
        tools: body.tools.map(({ type: _, strict: __, ...fn }) => ({ function: fn })),
      }),
      stream: body.stream === true,
      ...(limit !== undefined && { max_completion_tokens: limit }),
      ...(isItem(body.reasoning) && { reasoning_effort: String(body.reasoning.effort) }),
    };
  }

  /** The events of a reply; the last one holds all of it. */
  function tell(body: Item, reply: ResponsesReply): Item[] {
    made += 1;
    const id = `resp_${made}`;
    const encrypted = seal(`${made}: ${reply.content}`);
    const wanted =
      Array.isArray(body.include) && body.include.includes("reasoning.encrypted_content");
    for (const { id: call } of wanted ? reply.calls : []) {
      reasons.set(call, (reasons.get(call) ?? new Set()).add(encrypted));
    }
    const status = reply.finish === "length" ? "incomplete" : "completed";
    const output: Item[] = [
      {
        id: `rs_${made}`,
        type: "reasoning",
        summary: [],
        encrypted_content: wanted ? encrypted : null,
      },
    ];
    const parts = [
      ...(reply.content
        ? [{ type: "output_text", text: reply.content, annotations: [], logprobs: [] }]
        : []),
      ...(reply.refusal === null ? [] : [{ type: "refusal", refusal: reply.refusal }]),
    ];
    if (parts.length > 0) {
      const phase = reply.calls.length > 0 ? "commentary" : "final_answer";
      output.push({
        id: `msg_${made}`,
        type: "message",
        role: "assistant",
        status,
        phase,
        content: parts,
      });
    }
    for (const [index, call] of reply.calls.entries()) {
      output.push({
        id: `fc_${made}_${index}`,
        type: "function_call",
        status,
        call_id: call.id,
        name: call.name,
        arguments: call.arguments,
      });
    }
    const response = {
      id,
      object: "response",
      status,
      model: body.model,
      output,
      error: null,
      incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
      usage: usageOf(reply.usage),
    };
    const events: Item[] = [
      {
        type: "response.created",
        response: { ...response, status: "in_progress", output: [], usage: null },
      },
      ...output.flatMap((item, place) => itemEvents(item, place)),
      { type: `response.${status}`, response },
    ];
    return events.map((event, number) => ({ ...event, sequence_number: number }));
  }

  return { read, tell };
}

function itemEvents(item: Item, output_index: number): Item[] {
  const at = { output_index, item_id: item.id };
  const pieces = (whole: unknown) => String(whole).match(/[\s\S]{1,16}/g) ?? [];
  const opened =
    item.type === "message"
      ? { ...item, content: [], status: "in_progress" }
      : item.type === "function_call"
        ? { ...item, arguments: "", status: "in_progress" }
        : { ...item, encrypted_content: null };
  const deltas: Item[] =
    item.type === "function_call"
      ? [
          ...pieces(item.arguments).map((delta) => ({
            type: "response.function_call_arguments.delta",
            ...at,
            delta,
          })),
          { type: "response.function_call_arguments.done", ...at, arguments: item.arguments },
        ]
      : (Array.isArray(item.content) ? item.content : []).flatMap((part: Item, content_index) =>
          pieces(part.text ?? part.refusal).map((delta) => ({
            type: part.type === "refusal" ? "response.refusal.delta" : "response.output_text.delta",
            ...at,
            content_index,
            delta,
          })),
        );
  return [
    { type: "response.output_item.added", output_index, item: opened },
    ...deltas,
    { type: "response.output_item.done", output_index, item },
  ];
}

function usageOf(usage: Item | null): Item | null {
  if (usage === null) return null;
  const details = isItem(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const hidden = isItem(usage.completion_tokens_details) ? usage.completion_tokens_details : {};
  return {
    input_tokens: usage.prompt_tokens,
    input_tokens_details: { cached_tokens: details.cached_tokens ?? 0 },
    output_tokens: usage.completion_tokens,
    output_tokens_details: { reasoning_tokens: hidden.reasoning_tokens ?? 0 },
    total_tokens: usage.total_tokens,
  };
}

function seal(words: string): string {
  return `gAAA${createHash("sha256").update(words).digest("hex")}==`;
}

function isSealed(content: string): boolean {
  return /^gAAA[0-9a-f]{64}==$/.test(content);
}

function words(content: unknown): string {
  if (typeof content === "string") return content;
  return (content as Item[]).map((part) => part.text ?? part.refusal ?? "").join("");
}

function isItem(value: unknown): value is Item {
  return typeof value === "object" && value !== null;
}

function refusal(message: string, param: string | null, code: string | null = null): ApiRefusal {
  return { status: 400, body: { error: { message, type: "invalid_request_error", param, code } } };
}
