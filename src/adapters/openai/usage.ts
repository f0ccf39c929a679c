import type { ModelReply, TokenUsage } from "../../core/model.ts";
import { record } from "./json.ts";

/** More tokens in one call than any model can handle: the number is not to be believed. */
const MAX_TOKENS = 20_000_000;

/**
 * Reads what servers call usage: OpenAI's two forms, DeepSeek's and Moonshot's counts of cached tokens,
 * Anthropic's (whose `input_tokens` leave the cached ones out), and those of Gemini and xAI, which count
 * reasoning in `total_tokens` alone; what was written to a cache as OpenRouter, LiteLLM and Anthropic tell it. Numbers that contradict each other are not believed: then it is an
 * estimate at four characters a token wherever there is nothing better.
 */
export function readUsage(
  told: Record<string, unknown>,
  chars: { request: number; reply: number },
): Pick<ModelReply, "usage" | "usageReported"> {
  const cachedParts = [
    record(told.prompt_tokens_details).cached_tokens,
    record(told.input_tokens_details).cached_tokens,
    told.prompt_cache_hit_tokens,
    told.cached_tokens,
    told.cache_read_input_tokens,
  ].filter(isTold);
  const cached = Math.max(0, ...cachedParts.map(asNumber));
  const details = record(told.prompt_tokens_details ?? told.input_tokens_details);
  const writtenParts = [
    details.cache_write_tokens,
    details.cache_creation_tokens,
    told.cache_creation_input_tokens,
  ].filter(isTold);
  const written = Math.max(0, ...writtenParts.map(asNumber));
  const input = readInput(told);
  const said = asNumber(told.completion_tokens ?? told.output_tokens);
  const beyond = isTold(told.total_tokens) ? asNumber(told.total_tokens) - input : 0;
  const output = isCount(beyond) ? Math.max(said, beyond) : said;
  const hidden =
    record(told.completion_tokens_details).reasoning_tokens ??
    record(told.output_tokens_details).reasoning_tokens;
  const reasoning = isTold(hidden) ? asNumber(hidden) : null;
  const usageReported =
    isCount(input) &&
    input > 0 &&
    isCount(output) &&
    (output > 0 || chars.reply === 0) &&
    [...cachedParts, ...writtenParts].map(asNumber).every(isCount) &&
    cached + written <= input &&
    (reasoning === null || (isCount(reasoning) && reasoning <= output));
  const inputTokens = whole(input) || Math.ceil(chars.request / 4);
  const outputTokens = whole(output) || Math.ceil(chars.reply / 4);
  const usage: TokenUsage = {
    inputTokens,
    cachedTokens: Math.min(whole(cached), inputTokens),
    ...(written > 0 && { cacheWriteTokens: Math.min(whole(written), inputTokens) }),
    outputTokens,
    ...(reasoning !== null && { reasoningTokens: Math.min(whole(reasoning), outputTokens) }),
  };
  return { usage, usageReported };
}

function readInput(told: Record<string, unknown>): number {
  if (isTold(told.prompt_tokens)) return asNumber(told.prompt_tokens);
  const apart = isTold(told.input_tokens_details)
    ? []
    : [told.cache_read_input_tokens, told.cache_creation_input_tokens].filter(isTold);
  return apart.map(asNumber).reduce((sum, each) => sum + each, asNumber(told.input_tokens));
}

function isTold(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function asNumber(value: unknown): number {
  return typeof value === "number" ? value : Number.NaN;
}

function isCount(value: number): boolean {
  return value >= 0 && value <= MAX_TOKENS;
}

function whole(value: number): number {
  return isCount(value) ? Math.ceil(value) : 0;
}
