import { setTimeout as sleep } from "node:timers/promises";
import { RateLimited, TransientError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { usedUpUntil } from "../../core/rate-limit.ts";
import { fetchWhole } from "./fetch-whole.ts";
import { classify, HttpFailure, headersOf } from "./http-failure.ts";
import type { Pauses } from "./pauses.ts";

/** A rate limit that ends sooner than this is waited for; a longer one is the caller's to wait. */
const SHORT_WAIT_MS = 2000;

/** How long GitHub may take. All times in ms. */
export interface Timing {
  /** One read with all its retries; short enough for the 10 s GitHub waits for a webhook's answer. */
  readMs: number;
  /** One write; it is never tried again here. */
  writeMs: number;
  /** Waits before the retries of a read, each varied by half. */
  delaysMs: readonly number[];
  /** How long GitHub may need until all its machines know a new token. */
  tokenLagMs: number;
  /** One revocation of a token, with its retries. */
  revokeMs: number;
  /** How long a token may lie unused before it is revoked. */
  idleMs: number;
}

export const DEFAULT_TIMING: Timing = {
  readMs: 8000,
  writeMs: 20_000,
  delaysMs: [250, 500, 1000],
  tokenLagMs: 1000,
  revokeMs: 5000,
  idleMs: 60_000,
};

/** Writes that may be done twice: a token is minted, or ended. */
const REPEATABLE = /\/(?:access_tokens|installation\/token)$/;

interface Sendable {
  method: string;
  url: string;
  request: object;
}

/** The pauses, for one installation. */
export interface Gate {
  pauses: Pauses;
  installationId: number;
}

/**
 * Sends one Octokit request. What changes nothing (reads, minting and ending a token) is tried again when a
 * failure may pass; a write is sent exactly once, since a lost answer does not mean a lost write.
 * Nothing is sent while `gate` is closed. Throws TransientError or HttpFailure.
 */
export async function send<
  O extends Sendable,
  R extends { status: number; data: unknown; headers: object },
>(
  request: (options: O) => R | Promise<R>,
  options: O,
  deps: { timing: Timing; now: () => number; log: Log; gate: Gate | null },
): Promise<R> {
  const { timing, now, log, gate } = deps;
  const route = `${options.method} ${options.url}`;
  const repeatable = ["GET", "HEAD"].includes(options.method) || REPEATABLE.test(options.url);
  const deadline = performance.now() + (repeatable ? timing.readMs : timing.writeMs);

  for (let attempt = 0; ; attempt += 1) {
    try {
      await gate?.pauses.insist(gate.installationId);
      const left = Math.max(1, Math.ceil(deadline - performance.now()));
      // Set in place: Octokit's inner hooks see this very object, whatever is passed to them.
      options.request = {
        ...options.request,
        fetch: fetchWhole,
        signal: AbortSignal.timeout(left),
      };
      const answer = checked(await request(options), route);
      if (gate) await noteLast(answer, gate, now());
      return answer;
    } catch (thrown) {
      let failure = classify(thrown, route, now());
      if (gate && failure instanceof RateLimited && failure !== thrown) {
        failure = await gate.pauses.reached(gate.installationId, failure);
      }
      const delay = repeatable ? timing.delaysMs[attempt] : undefined;
      if (!(failure instanceof TransientError) || delay === undefined) throw failure;
      const wait =
        failure.retryAt === undefined
          ? delay * (0.5 + Math.random())
          : Math.max(0, failure.retryAt - now());
      if (wait > SHORT_WAIT_MS || performance.now() + wait >= deadline) throw failure;
      log.debug({ route, attempt: attempt + 1, reason: failure.message }, "asking GitHub again");
      await sleep(wait);
    }
  }
}

/** A success that was the last one before GitHub's clock turns is heard before the next call fails. */
async function noteLast(answer: object, gate: Gate, now: number): Promise<void> {
  const reset = usedUpUntil(headersOf(answer), now);
  if (reset === undefined) return gate.pauses.answered(gate.installationId);
  const why = "GitHub's rate limit of this hour is used up";
  const limit = { retryAt: reset, stated: true, secondary: false };
  await gate.pauses.reached(gate.installationId, new RateLimited(why, limit));
}

/** Octokit takes every status below 400 as success, and a body that is not JSON as text. */
function checked<R extends { status: number; data: unknown }>(response: R, route: string): R {
  if (response.status >= 300) {
    throw new HttpFailure(route, response.status, "a redirect that cannot be followed");
  }
  if (typeof response.data === "string" && response.status !== 204) {
    throw new TransientError(`GitHub's answer to ${route} was not JSON`);
  }
  return response;
}
