import { RateLimited, toError } from "../../core/errors.ts";
import type { Log, SharedStore } from "../../core/ports.ts";

/** How long what the store said is taken for true: so soon all processes stop calling. */
const FRESH_MS = 1000;
/** The first wait where GitHub names none (docs.github.com: at least one minute, then exponentially more). */
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 15 * 60_000;

/** Which installations GitHub asked to be left alone, known to all processes on one store. */
export interface Pauses {
  /** Throws RateLimited while nobody may call for the installation. */
  insist(installationId: number): Promise<void>;
  /** Lets everybody wait after a rate limit; the failure with the time that was settled on. */
  reached(installationId: number, limit: RateLimited): Promise<RateLimited>;
  /** Lets git call for the installation, and everybody wait when it meets a rate limit. */
  around<T>(installationId: number, work: () => Promise<T>): Promise<T>;
  /** An answer came: the next limit is the first again. */
  answered(installationId: number): void;
}

/** Keeps pauses in the store. A store that fails for a moment lets calls through: GitHub has the last word. */
export function createPauses(deps: {
  shared: Pick<SharedStore, "pause" | "pausedFor" | "slow">;
  now: () => number;
  log: Log;
}): Pauses {
  const { shared, now, log } = deps;
  const known = new Map<number, { askedAt: number; until: number; why: string }>();
  /** Limits in a row that named no time. */
  const strikes = new Map<number, number>();
  /** What was settled on for limits that were told; several who share a call of git meet the same one. */
  const heard = new WeakMap<RateLimited, RateLimited>();

  /** What is known; nothing that was learnt by a clock which has been set back since. */
  function lastOf(installationId: number) {
    const last = known.get(installationId);
    return last && last.askedAt <= now() ? last : undefined;
  }

  async function look(installationId: number) {
    const last = lastOf(installationId);
    if (last && (last.until > now() || now() - last.askedAt < FRESH_MS)) return last;
    const askedAt = now();
    try {
      const pause = await shared.pausedFor(installationId);
      const until = pause === null ? 0 : now() + pause.ms;
      const found = { askedAt, until, why: pause?.why ?? "" };
      known.set(installationId, found);
      return found;
    } catch (thrown) {
      log.warn({ err: toError(thrown) }, "whether GitHub asked to wait could not be read");
      return null;
    }
  }

  async function insist(installationId: number): Promise<void> {
    const found = await look(installationId);
    if (found === null || found.until <= now()) return;
    throw settled(found.why, found.until, { stated: true, secondary: false });
  }

  function settled(
    message: string,
    retryAt: number,
    how: { stated: boolean; secondary: boolean },
  ): RateLimited {
    const { stated, secondary } = how;
    const limit = new RateLimited(message, { stated, secondary, retryAt });
    heard.set(limit, limit);
    return limit;
  }

  /** Until when a limit lasts; calls that were under way together meet one limit. */
  function endOf(installationId: number, limit: RateLimited): number {
    if (limit.stated) return limit.retryAt ?? now();
    const last = lastOf(installationId);
    if (last && last.until > now()) return last.until;
    const before = strikes.get(installationId) ?? 0;
    strikes.set(installationId, before + 1);
    return now() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** before);
  }

  async function reached(installationId: number, limit: RateLimited): Promise<RateLimited> {
    const before = heard.get(limit);
    if (before) return before;
    const until = endOf(installationId, limit);
    const waited = settled(limit.message, until, limit);
    heard.set(limit, waited);
    const ms = Math.max(0, until - now());
    const last = lastOf(installationId);
    if (!last || last.until < until) {
      known.set(installationId, { askedAt: now(), until, why: limit.message });
    }
    log.warn({ installationId, ms, reason: limit.message }, "GitHub asked to wait");
    try {
      await shared.pause(installationId, ms, limit.message);
      if (limit.secondary) await shared.slow(installationId, ms);
    } catch (thrown) {
      log.warn({ err: toError(thrown) }, "others could not be told that GitHub asked to wait");
    }
    return waited;
  }

  return {
    insist,
    reached,
    async around(installationId, work) {
      await insist(installationId);
      try {
        return await work();
      } catch (thrown) {
        throw thrown instanceof RateLimited ? await reached(installationId, thrown) : thrown;
      }
    },
    answered: (installationId) => void strikes.delete(installationId),
  };
}
