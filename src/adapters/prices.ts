import { calcPrice, findProvider, type MatchLogic, type ModelPrice } from "@pydantic/genai-prices";
import { familyOf } from "../core/model-families.ts";
import { type CatalogueEntry, OPENAI_URL } from "../core/model-offer.ts";
import type { Price } from "../core/model-profile.ts";

/** A date or version behind a name, which is the same model: `gpt-5-2025-08-07`, `gemini-2.5-pro-preview-05-06`. */
const SNAPSHOT = /^[-@](?:(?:preview|exp|latest)\b-?)?(?:\d[\d-]*)?$/;

/**
 * What the shipped catalogue knows of a model. At a server that it knows by its URL, the model is that
 * server's; elsewhere the name has to be a maker's own. A name that only begins like a model's is unknown.
 */
export function lookUpModel(baseUrl: string | null, id: string): CatalogueEntry | null {
  const name = id.toLowerCase();
  // What is asked for decides nothing but which of several prices holds; some change with the hour.
  const usage = { input_tokens: 1_000_000, output_tokens: 1_000_000 };
  const at = (hour: number, where: { providerApiUrl?: string }) => {
    const timestamp = new Date();
    timestamp.setUTCHours(hour, 45, 0, 0);
    return calcPrice(usage, name, { ...where, timestamp });
  };
  const providerApiUrl = baseUrl ?? OPENAI_URL;
  const where = findProvider({ providerApiUrl }) ? { providerApiUrl } : {};
  const found = at(12, where);
  if (found === null || !isNamed(name, found.model.id.toLowerCase(), found.model.match)) {
    return null;
  }
  let dearest = found;
  // Nobody knows at which hour a job will work.
  for (let hour = 0; hour < 24; hour++) {
    const price = at(hour, where);
    if (price !== null && price.total_price > dearest.total_price) dearest = price;
  }
  const window = found.model.context_window;
  return {
    ...familyOf(name),
    price: toPrice(dearest.model_price),
    ...(window === undefined ? {} : { contextWindow: window }),
  };
}

/** Whether a name is that of a model, not one that only begins so, by which the catalogue finds some. */
function isNamed(name: string, id: string, match: MatchLogic): boolean {
  if (name === id || isListed(name, match)) return true;
  return name.startsWith(id) && SNAPSHOT.test(name.slice(id.length));
}

/** Whether the catalogue has the name whole. */
function isListed(name: string, match: MatchLogic): boolean {
  if ("equals" in match) return match.equals.toLowerCase() === name;
  if ("or" in match) return match.or.some((each) => isListed(name, each));
  return false;
}

/** In tiers as the catalogue's: a prompt longer than `start` pays its price for all. */
function toPrice(given: ModelPrice): Price | null {
  const { input_mtok: input, output_mtok: output, cache_read_mtok: cached } = given;
  const { cache_write_mtok: written } = given;
  if (input === undefined || output === undefined) return null;
  const starts = [input, output, cached, written].flatMap((each) =>
    typeof each === "object" ? each.tiers.map(({ start }) => start) : [],
  );
  const above = (prompt: number) => ({
    input: priceAt(input, prompt),
    cached: priceAt(cached ?? input, prompt),
    output: priceAt(output, prompt),
    ...(written !== undefined && { cacheWrite: priceAt(written, prompt) }),
  });
  const tiers = [...new Set(starts)]
    .sort((a, b) => a - b)
    .map((start) => ({ above: start, ...above(start + 1) }));
  return tiers.length > 0 ? { ...above(0), tiers } : above(0);
}

/** The price of one kind of tokens in a call whose prompt has so many. */
function priceAt(price: NonNullable<ModelPrice[string]>, prompt: number): number {
  if (typeof price === "number") return price;
  return price.tiers.findLast(({ start }) => prompt > start)?.price ?? price.base;
}
