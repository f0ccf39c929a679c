import type { TokenUsage } from "./model.ts";
import type { Price } from "./model-profile.ts";

/** Prices are taken to a billionth of a micro-dollar per token, and then reckoned with whole numbers only. */
const SCALE = 1_000_000_000n;
/** A prompt or a reply with more tokens was never made: the largest context windows have some 10 million. */
const MOST_TOKENS = 1_000_000_000;

interface Rates {
  input: number;
  cached: number;
  output: number;
  cacheWrite?: number;
}

/**
 * What a call cost, in micro-dollars, rounded up; null when the usage cannot be: negative, broken, not a
 * number, or beyond any model. Of more cached tokens than there was prompt only the prompt counts.
 */
export function costOf(price: Price, usage: TokenUsage): number | null {
  const { inputTokens: input, outputTokens: output, cacheWriteTokens = 0 } = usage;
  if (![input, output, usage.cachedTokens, cacheWriteTokens].every(isTokens)) return null;
  const cached = Math.min(usage.cachedTokens, input);
  const written = Math.min(cacheWriteTokens, input - cached);
  const rates = ratesFor(price, input);
  return rounded(
    times(input - cached - written, rates.input) +
      times(cached, rates.cached) +
      times(written, rates.cacheWrite ?? rates.input) +
      times(output, rates.output),
  );
}

/**
 * The most that a call may cost, in micro-dollars: with at most so many tokens of prompt and reply, however
 * many of them are cached or written to a cache, and whichever tier it falls in.
 */
export function worstCase(price: Price, promptTokens: number, maxOutput: number): number {
  insist(promptTokens);
  insist(maxOutput);
  const all = extremes(price, promptTokens).map(
    ({ prompt, output }) => prompt + times(maxOutput, output),
  );
  return rounded(all.reduce((most, each) => (each > most ? each : most), 0n));
}

/**
 * With how many tokens of output, at most as `wanted`, the worst case of a call is no more than `available`
 * micro-dollars; null when it is not with `least`.
 */
export function fittingOutput(
  call: { price: Price; promptTokens: number; wanted: number; least: number },
  available: number,
): number | null {
  const { price, promptTokens, wanted } = call;
  insist(promptTokens);
  insist(wanted);
  if (!(available >= 0)) return null;
  if (!Number.isSafeInteger(Math.floor(available))) return wanted;
  const room = BigInt(Math.floor(available)) * SCALE;
  let most = BigInt(wanted);
  for (const { prompt, output } of extremes(price, promptTokens)) {
    if (prompt > room) return null;
    const rate = scaled(output);
    const tokens = rate === 0n ? most : (room - prompt) / rate;
    if (tokens < most) most = tokens;
  }
  return most < BigInt(Math.min(call.least, wanted)) ? null : Number(most);
}

/**
 * Where a prompt of at most so many tokens may be dearest: as long as it may be, or right below a tier,
 * which may be cheaper. What it costs there, scaled, and an output token with it.
 */
function extremes(price: Price, promptTokens: number): { prompt: bigint; output: number }[] {
  const lengths = [promptTokens];
  for (const { above } of price.tiers ?? []) {
    if (above >= 0 && above < promptTokens) lengths.push(Math.floor(above));
  }
  return lengths.map((tokens) => {
    const { input, cached, output, cacheWrite = input } = ratesFor(price, tokens);
    const all = [input, cached, cacheWrite].map((rate) => times(tokens, rate));
    return { prompt: all.reduce((most, each) => (each > most ? each : most)), output };
  });
}

/** The prices of a call with so many tokens of prompt: those of the highest tier that it is above of. */
function ratesFor(price: Price, promptTokens: number): Rates {
  let rates: Rates & { above: number } = { ...price, above: Number.NEGATIVE_INFINITY };
  for (const tier of price.tiers ?? []) {
    if (promptTokens > tier.above && tier.above > rates.above) rates = tier;
  }
  return rates;
}

function times(tokens: number, rate: number): bigint {
  return BigInt(tokens) * scaled(rate);
}

/** Prices were judged where they came in: one that is none is a bug. */
function scaled(rate: number): bigint {
  if (!(rate >= 0 && rate < 1_000_000)) throw new RangeError(`${rate} is no price of a token`);
  return BigInt(Math.round(rate * Number(SCALE)));
}

function rounded(cost: bigint): number {
  return Number((cost + SCALE - 1n) / SCALE);
}

function isTokens(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0 && count <= MOST_TOKENS;
}

function insist(count: number): void {
  if (!isTokens(count)) throw new RangeError(`${count} is no number of tokens`);
}
