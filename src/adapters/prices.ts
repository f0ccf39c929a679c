import { calcPrice } from "@pydantic/genai-prices";
import type { TokenUsage } from "../core/model.ts";

/**
 * List price of one model call in micro-dollars, from the catalogue that the package ships; null when
 * the catalogue does not know the model. Discounts and price changes since its release are not in it.
 */
export function priceOf(model: string, usage: TokenUsage): number | null {
  const price = calcPrice(
    {
      input_tokens: usage.inputTokens,
      cache_read_tokens: usage.cachedTokens,
      output_tokens: usage.outputTokens,
    },
    model,
  );
  return price === null ? null : Math.round(price.total_price * 1_000_000);
}
