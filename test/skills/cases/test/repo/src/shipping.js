/** Thrown when a parcel cannot be sent. */
export class Refused extends Error {}

/** What sending costs, in cents. See the README for the rules. */
export function shippingCents({ grams, orderCents, island = false }) {
  if (!Number.isFinite(grams) || grams <= 0) throw new RangeError("grams must be positive");
  if (grams > 30_000) throw new Refused("heavier than 30 kg");
  if (orderCents > 5_000 && !island) return 0;
  const base = grams <= 2_000 ? 490 : grams <= 10_000 ? 890 : 1_490;
  return island ? base + 600 : base;
}
