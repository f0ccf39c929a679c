import PQueue from "p-queue";
import type { Clock } from "../core/clock.ts";
import type { PacedProvider, Provider, ProviderRequest, Tried } from "../core/model.ts";

const MINUTE = 60_000;
/** Passing failures in a row after which a provider is left alone. */
const FAILURES = 3;
const FIRST_REST = 5_000;
const LONGEST_REST = 600_000;
/** A provider that asks for a longer pause is asked again after this. */
const LONGEST_PAUSE = 3_600_000;
/** How soon to ask again while one call tries whether a rested provider works. */
const TRIAL = 1_000;
const BYTES_PER_TOKEN = 4;
/** Of a request that names no bound. */
const USUAL_OUTPUT = 4_000;

/** What a provider may be asked for; null: no bound. */
export interface LineLimits {
  concurrency: number | null;
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
}

/**
 * Holds the calls of this process to what a provider allows, in the order in which they come, and rests
 * a provider that asks for it or keeps failing. Who waits longer than its signal leaves the line.
 */
export function createProviderLine(
  provider: Provider,
  limits: LineLimits,
  clock: Clock,
): PacedProvider {
  const calls = new PQueue({ concurrency: limits.concurrency ?? Number.POSITIVE_INFINITY });
  // One at a time waits for its turn in the minute, so that a small call does not overtake a large one for ever.
  const gate = new PQueue({ concurrency: 1 });
  const requests = createWindow(limits.requestsPerMinute);
  const tokens = createWindow(limits.tokensPerMinute);
  const rest = createRest(clock);

  async function admit(estimate: number, signal: AbortSignal): Promise<{ used(n: number): void }> {
    for (;;) {
      signal.throwIfAborted();
      const now = clock.now();
      const waits = Math.max(requests.opensIn(1, now), tokens.opensIn(estimate, now));
      if (waits === 0) break;
      await clock.wait(waits, signal);
    }
    requests.take(1, clock.now());
    return tokens.take(estimate, clock.now());
  }

  return {
    restsFor: rest.restsFor,
    async tryOnce(request) {
      const { signal } = request;
      const estimate = limits.tokensPerMinute === null ? 0 : tokensOf(request);
      const resting = rest.answer(request.model);
      if (resting) return resting;
      return calls.add(
        async () => {
          if (limits.requestsPerMinute === null && limits.tokensPerMinute === null)
            return ask(null);
          return ask(await gate.add(() => admit(estimate, signal), { signal }));
        },
        { signal },
      );

      async function ask(turn: { used(n: number): void } | null): Promise<Tried> {
        // It may have been put to rest while this call stood in line.
        const trial = rest.enter(request.model);
        if (trial.kind === "rests") {
          turn?.used(0);
          return trial.answer;
        }
        let tried: Tried | null = null;
        try {
          tried = await provider.tryOnce(request);
          return tried;
        } finally {
          trial.leave(tried);
          const used = tried && tokensUsed(tried);
          if (used !== null) turn?.used(used);
        }
      }
    },
  };
}

/** Tokens of a request at a guess; the provider's count replaces it afterwards. */
function tokensOf({ messages, tools, maxOutput }: ProviderRequest): number {
  const bytes = Buffer.byteLength(JSON.stringify([messages, tools]));
  return Math.ceil(bytes / BYTES_PER_TOKEN) + (maxOutput ?? USUAL_OUTPUT);
}

/** Null: nobody told. */
function tokensUsed(tried: Tried): number | null {
  if (tried.kind === "reply") return tried.reply.usage.inputTokens + tried.reply.usage.outputTokens;
  return tried.kind === "passing" && !tried.billed ? 0 : null;
}

/** What was taken in the last minute, of at most so much; null: no bound. */
function createWindow(most: number | null) {
  let taken: { at: number; amount: number }[] = [];
  return {
    /** In how many ms so much can be taken; more than there ever is, once nothing else is taken. */
    opensIn(amount: number, now: number): number {
      if (most === null) return 0;
      taken = taken.filter(({ at }) => at > now - MINUTE);
      let sum = taken.reduce((all, each) => all + each.amount, 0);
      const wanted = Math.min(amount, most);
      for (const { at, amount: freed } of [{ at: now - MINUTE, amount: 0 }, ...taken]) {
        sum -= freed;
        if (sum + wanted <= most) return Math.max(0, at + MINUTE - now);
      }
      return MINUTE;
    },
    take(amount: number, now: number): { used(n: number): void } {
      const entry = { at: now, amount };
      if (most !== null) taken.push(entry);
      return {
        used(n) {
          entry.amount = n;
        },
      };
    },
  };
}

type Entered =
  | { kind: "asks"; leave(tried: Tried | null): void }
  | { kind: "rests"; answer: Tried };

/** Whether a provider is asked at the moment, by how its last calls ended. */
function createRest(clock: Clock) {
  let failures = 0;
  let until = Number.NEGATIVE_INFINITY;
  /** Until when the provider wants not to be asked for a model: most count their limits for each. */
  const pauses = new Map<string, number>();
  /** How long the last rest after failures was; 0 while it answers. */
  let length = 0;
  let trying = false;

  const restsFor = (model: string) => {
    const left = Math.max(until, pauses.get(model) ?? until) - clock.now();
    if (left > 0) return Math.ceil(left);
    return length > 0 && trying ? TRIAL : 0;
  };

  const answer = (model: string): Tried | null => {
    const afterMs = restsFor(model);
    if (afterMs === 0) return null;
    const message = `the provider is not asked for ${Math.ceil(afterMs / 1000)} s, as it kept failing or asked for a pause`;
    return { kind: "passing", message, afterMs, billed: false, operator: false };
  };

  function learn(model: string, tried: Tried): void {
    if (tried.kind !== "passing") {
      failures = 0;
      length = 0;
      return;
    }
    const now = clock.now();
    if (tried.afterMs !== null && tried.afterMs > 0) {
      // It knows best: many calls that it turned away at once are no trouble of its own.
      const pause = now + Math.min(tried.afterMs, LONGEST_PAUSE);
      pauses.set(model, Math.max(pauses.get(model) ?? pause, pause));
      return;
    }
    failures += 1;
    // Calls that were under way when the rest began say nothing new.
    if (failures < FAILURES || (length > 0 && until > now && !trying)) return;
    length = Math.min(length === 0 ? FIRST_REST : 2 * length, LONGEST_REST);
    until = Math.max(until, now + length);
  }

  return {
    restsFor,
    answer,
    enter(model: string): Entered {
      const resting = answer(model);
      if (resting) return { kind: "rests", answer: resting };
      const isTrial = length > 0;
      if (isTrial) trying = true;
      return {
        kind: "asks",
        leave(tried) {
          if (tried) learn(model, tried);
          if (isTrial) trying = false;
        },
      };
    },
  };
}
