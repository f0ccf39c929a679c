import { type Complaint, isLongId } from "./adaptation.ts";

const CODES = [
  "context_length_exceeded",
  "context_window_exceeded",
  "model_context_window_exceeded",
  "exceed_context_size_error",
  "request_too_large",
  "string_above_max_length",
  "model_max_prompt_tokens_exceeded",
];

/**
 * How servers say that a prompt is too long: OpenAI, vLLM, SGLang, Mistral, Ollama ("context length",
 * "maximum context"), vLLM ("longer than the maximum model length"), SGLang ("maximum allowed length"), TGI
 * ("`inputs` must have less than"), TensorRT-LLM ("maximum input length"), llama.cpp ("available context size"), Anthropic ("prompt is too long", "context
 * limit"), Gemini ("maximum number of tokens"), xAI ("maximum prompt length"), Together ("inputs tokens +
 * max_new_tokens"), DashScope ("range of input length"), Kimi ("model token limit"), Bedrock ("input is
 * too long"), Poolside ("maximum allowed input length").
 */
const WORDS =
  /context[ _](length|window|size|limit)|maximum context|prompt (is )?too long|too many (input |prompt )?tokens|input (is )?too long|reduce the length of the|exceeds the maximum (number of )?(input )?tokens|maximum prompt length|maximum allowed input length|range of input length|model token limit|prompt exceeds|longer than the maximum model length|exceeds the maximum allowed length|exceeds (the )?maximum input length|`inputs` must have less than|`?inputs`? tokens \+ `?max_new_tokens|tokens? in request more than/i;

/** What only sounds like it: a limit per time, which waiting mends. */
const RATE = /throttl|rate.?limit|per (second|minute|hour|day)|please wait/i;

/** Whether a server complains that the conversation does not fit the model's window. */
export function isOverflow(complaint: Complaint): boolean {
  const { status, code, type, message } = complaint;
  if (status === 413) return true;
  if (status === 429 || isLongId(complaint)) return false;
  if (CODES.includes(code) || CODES.includes(type)) return true;
  return WORDS.test(message) && !RATE.test(message);
}
