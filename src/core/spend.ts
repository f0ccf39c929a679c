import type { Spend } from "./job.ts";
import type { Spent } from "./ledger.ts";

/**
 * What a job consumed, by its calls in the ledger and what was spent before there was one. `spend` may be as
 * it was stored, or as this made it of fewer calls; its steps and times stay.
 */
export function withCalls(spend: Spend, called: Spent | undefined): Spend {
  if (called === undefined) return spend;
  const { inputTokens, cachedTokens, outputTokens, microDollars, before: known, ...own } = spend;
  const before = known ?? { inputTokens, cachedTokens, outputTokens, microDollars };
  return {
    ...own,
    inputTokens: before.inputTokens + called.inputTokens,
    cachedTokens: before.cachedTokens + called.cachedTokens,
    outputTokens: before.outputTokens + called.outputTokens,
    microDollars: before.microDollars === null ? null : before.microDollars + called.microDollars,
    ...(called.unpriced && { unpriced: true }),
    ...(called.models.length > 0 && { models: called.models }),
    before,
  };
}
