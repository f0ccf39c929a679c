import type { ChatMessage } from "../../core/model.ts";
import { type Compaction, firstReply, viewOf } from "./view.ts";

/** Newest steps that stay whole, tried in turn. */
const WHOLE_STEPS = [8, 6, 4, 3, 2, 1];

/**
 * The gentlest compaction whose view has at most as many bytes as the first of `targets` that can be
 * reached; the strongest where none can. Old steps are
 * shortened first, then the oldest are left out, and the newest is only touched when it is large itself or
 * nothing else helps. It never shows again what `before` left out. Null before the first step.
 */
export function compact(
  messages: ChatMessage[],
  before: Compaction | null,
  targets: number[],
): Compaction | null {
  const steps = messages.flatMap(({ role }, at) => (role === "assistant" ? [at] : []));
  const last = steps.at(-1);
  if (last === undefined) return null;
  const floor = before ?? { upTo: firstReply(messages), leftOut: 0 };
  const shorter = WHOLE_STEPS.flatMap((kept) => steps.at(-kept) ?? []).map((upTo) => ({
    upTo,
    leftOut: floor.leftOut,
  }));
  const inside = messages.flatMap((_, at) => (at > last ? [at] : [])).concat(messages.length);
  const newest = (leftOut: number) => inside.map((upTo) => ({ upTo, leftOut }));
  const fewer = (upTo: number) => steps.slice(1).map((leftOut) => ({ upTo, leftOut }));
  const largeNewest = bytesOf(messages.slice(last)) > (targets[0] ?? 0) / 2;
  const candidates = [
    ...shorter,
    ...(largeNewest
      ? [...newest(floor.leftOut), ...fewer(messages.length)]
      : [...fewer(last), ...newest(last)]),
  ].filter(({ upTo, leftOut }) => upTo >= floor.upTo && leftOut >= floor.leftOut);
  for (const target of targets) {
    const fitting = firstFitting(messages, candidates, target);
    if (fitting !== null) return fitting;
  }
  return candidates.at(-1) ?? null;
}

/** The first candidate that fits, by halving: each is smaller than those before it. */
function firstFitting(
  messages: ChatMessage[],
  candidates: Compaction[],
  target: number,
): Compaction | null {
  let from = 0;
  let to = candidates.length;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const candidate = candidates[middle];
    if (candidate && bytesOf(viewOf(messages, candidate)) <= target) to = middle;
    else from = middle + 1;
  }
  return candidates[from] ?? null;
}

/** Bytes of messages as JSON, which grow with their tokens. */
export function bytesOf(messages: ChatMessage[]): number {
  return messages.reduce((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0);
}
