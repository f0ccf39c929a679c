import type { Spend } from "../job.ts";

/** Characters of a comment or body, a little below the 65,536 that GitHub takes. */
export const MAX_TEXT = 60_000;

/** Money for a person: dollars with enough digits, or that the price is not known. */
export function cost(spend: Spend): string {
  if (spend.steps === 0) return "–";
  if (spend.microDollars === null) return "price unknown";
  return `$${(spend.microDollars / 1_000_000).toFixed(spend.microDollars < 100_000 ? 4 : 2)}`;
}

/** "1 task", "3 tasks". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** First line of a text, cut to `max` characters with an ellipsis. */
export function shorten(text: string, max: number): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  const characters = [...line];
  return characters.length > max ? `${characters.slice(0, max - 1).join("")}…` : line;
}
