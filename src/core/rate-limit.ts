/** What GitHub says when a rate limit was hit; the status alone (403) may also mean a missing permission. */
const WORDS =
  /secondary rate limit|rate limit exceeded|rate-limited|abuse detection|abuse mechanism/i;
const DEFAULT_WAIT_MS = 60_000;
/** No limit that GitHub documents lasts longer; a header that says so is not believed. */
const LONGEST_WAIT_MS = 60 * 60_000;

/** One header of an answer, by its name in lower case; undefined when it has none. */
export type HeaderOf = (name: string) => unknown;

/** A rate limit that an answer tells of. Times in ms since the epoch. */
export interface Limit {
  retryAt: number;
  /** Whether GitHub itself named the time. */
  stated: boolean;
  /** Not the calls of the hour are used up: too many came at once. */
  secondary: boolean;
}

/** What an answer says of a rate limit; null when it was refused for another reason. */
export function limitOf(
  answer: { status: number; headerOf: HeaderOf; words: string },
  now: number,
): Limit | null {
  const { status, headerOf, words } = answer;
  const usedUp = String(headerOf("x-ratelimit-remaining")) === "0";
  const limited =
    status === 429 ||
    (status === 403 && (headerOf("retry-after") !== undefined || usedUp || WORDS.test(words)));
  if (!limited) return null;
  const stated = retryAfter(headerOf, now) ?? usedUpUntil(headerOf, now);
  const retryAt = stated ?? now + DEFAULT_WAIT_MS;
  return { retryAt, stated: stated !== undefined, secondary: !usedUp };
}

/** When GitHub wants to be asked again; undefined when it does not say. */
export function retryAfter(headerOf: HeaderOf, now: number): number | undefined {
  const value = headerOf("retry-after");
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const at = Number.isFinite(seconds) ? now + seconds * 1000 : fromTheirs(headerOf, value, now);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at, now), now + LONGEST_WAIT_MS);
}

/** When calls are allowed again by the answer's headers; undefined while some are left. */
export function usedUpUntil(headerOf: HeaderOf, now: number): number | undefined {
  if (String(headerOf("x-ratelimit-remaining")) !== "0") return undefined;
  const reset = Number(headerOf("x-ratelimit-reset"));
  if (!(reset > 0)) return undefined;
  const at = fromTheirs(headerOf, reset * 1000, now);
  // A clock that runs ahead of GitHub's must not make us ask again at once.
  return Math.min(Math.max(at, now + 1000), now + LONGEST_WAIT_MS);
}

/** A time by GitHub's clock as one by ours: its answer carries both. */
function fromTheirs(headerOf: HeaderOf, time: unknown, now: number): number {
  const theirs = Date.parse(String(headerOf("date")));
  const at = typeof time === "number" ? time : Date.parse(String(time));
  return Number.isNaN(theirs) ? at : now + at - theirs;
}
