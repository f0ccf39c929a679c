import type { Command, Job, Spend } from "../job.ts";
import { codeSpan } from "../markdown-inline.ts";
import { money } from "../money.ts";

/** Characters of a comment or body, a little below the 65,536 that GitHub takes. */
export const MAX_TEXT = 60_000;

/** Money for a person: dollars with enough digits, or that calls have no price, or one that is not known. */
export function cost(spend: Spend): string {
  const { microDollars, unpriced = false } = spend;
  if (spend.steps === 0 && spend.before === undefined) return "–";
  if (microDollars === null) return "price unknown";
  if (!unpriced) return money(microDollars);
  return microDollars === 0 ? "unpriced" : `${money(microDollars)} and unpriced calls`;
}

const ASKED_IN: Record<Command["way"]["kind"], string> = {
  comment: "this comment",
  review_comment: "this review comment",
  review: "this review",
  opened: "this text",
  labeled: "labelling this issue",
  assigned: "assigning this issue",
};

/** Where or how a command was asked for, as a link: "in [this comment](…)". */
export function askedIn({ way, url }: Pick<Command, "way" | "url">): string {
  const done = way.kind === "labeled" || way.kind === "assigned";
  return `${done ? "by" : "in"} [${ASKED_IN[way.kind]}](${url})`;
}

/** The models that answered a job, else the one it shall begin with. */
export function modelsOf({ model, spend }: Pick<Job, "model" | "spend">): string {
  return (spend.models ?? [model]).map(codeSpan).join(", ");
}

/** "1 task", "3 tasks". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** A time in ms since the epoch for people, to the minute. */
export function utcTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** First line of a text, cut to `max` characters with an ellipsis. */
export function shorten(text: string, max: number): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  const characters = [...line];
  return characters.length > max ? `${characters.slice(0, max - 1).join("")}…` : line;
}

/** Characters of a name that are shown. */
const MAX_NAME = 150;

/**
 * The name of a file or branch with every sign that nobody sees spelt out, so that no two names look
 * alike; a long one is cut in its middle.
 */
export function nameText(name: string): string {
  const seen = spelt(name);
  const characters = [...seen];
  if (characters.length <= MAX_NAME) return seen;
  const half = (MAX_NAME - 1) / 2;
  return `${characters.slice(0, Math.ceil(half)).join("")}…${characters.slice(-Math.floor(half)).join("")}`;
}

/** A text with every sign but a blank spelt out that nobody sees, ends of lines among them. */
export function spelt(text: string): string {
  return text.replace(
    /[[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]--[\u0020]]/gv,
    (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
