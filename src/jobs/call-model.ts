import type { Clock } from "../core/clock.ts";
import { toError } from "../core/errors.ts";
import { capReached, roomHeld } from "../core/messages/budget.ts";
import type { Model, ModelReply } from "../core/model.ts";
import type { ModelChoice } from "../core/route.ts";
import {
  type CandidateDeps,
  candidatesOf,
  failedWith,
  givenUp,
  isTooLong,
  nextOf,
} from "./candidates.ts";
import { meteredTry, originOf, type TryMeans } from "./metered-try.ts";

export interface CallDeps extends CandidateDeps, Pick<TryMeans, "ledger" | "log"> {
  /** By which tries wait for each other. */
  clock: Clock;
}

/** Output tokens that nearly every reply has room in: they are reserved. After one that was cut off it is twice as much. */
const USUAL_OUTPUT = 16_000;
/** How soon to look again for room that other calls hold, at first and at last. */
const CROWDED_MS = 2_000;
const LONG_CROWDED_MS = 30_000;

/**
 * The model of a job: the first of `choices` that answers. A model that does not is tried again while the
 * others are asked; a conversation that is too long goes to a model with a larger window, if there is one.
 */
export function routedModel(
  choices: readonly ModelChoice[],
  means: Pick<TryMeans, "caller" | "caps" | "bound" | "insist">,
  deps: CallDeps,
): Model {
  const { caller, insist } = means;
  const { clock } = deps;
  let wantedOutput = USUAL_OUTPUT;

  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return clock.wait(ms, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw toError(error);
    });
  }

  return {
    // Of the first: those that take over, with a larger one perhaps, are no reason to be asked each time.
    window: () => candidatesOf(choices, deps)[0]?.profile.contextWindow ?? 0,

    async ask(request) {
      const { signal } = request;
      const candidates = candidatesOf(choices, deps);
      let looks = 0;
      let waitsFor = "";
      for (;;) {
        signal.throwIfAborted();
        insist();
        const next = nextOf(candidates, clock.now());
        if (next.kind === "too_long") return { status: "too_long", due: next.due };
        if (next.kind === "wait") {
          if (next.ms >= (request.timeLeftMs?.() ?? Number.POSITIVE_INFINITY)) {
            throw givenUp(candidates, clock.now());
          }
          await pause(next.ms, signal);
          continue;
        }
        const { candidate } = next;
        const result = await meteredTry(candidate, request, {
          ...means,
          wantedOutput,
          ledger: deps.ledger,
          log: deps.log,
        });
        if (result.kind === "crowded") {
          const room = roomHeld(result.by);
          if (room !== waitsFor) await request.onWait?.(room);
          waitsFor = room;
          await pause(crowdedWait(looks++), signal);
          continue;
        }
        if (result.kind === "refused") return { status: "over_budget", why: capReached(result.by) };
        const { tried, used } = result;
        const origin = originOf(candidate.profile);
        switch (tried.kind) {
          case "reply":
            if (tried.reply.truncated) wantedOutput *= 2;
            return { status: "reply", reply: tried.reply, origin, used };
          case "refused":
            return { status: "reply", reply: refusedReply(tried.message), origin, used };
          case "too_long":
            isTooLong(candidates, candidate);
            continue;
        }
        const { jobId } = caller;
        const model = candidate.profile.name;
        deps.log.warn({ jobId, model }, `a model request failed: ${tried.message}`);
        request.onFail?.(tried.message);
        failedWith(candidate, tried, clock.now());
      }
    },
  };
}

/** Half to one and a half of 2, 4, 8 … 30 seconds: those who wait for one cap look at different times. */
function crowdedWait(looks: number): number {
  return Math.min(LONG_CROWDED_MS, CROWDED_MS * 2 ** looks) * (0.5 + Math.random());
}

function refusedReply(refusal: string): ModelReply {
  const usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0 };
  return { content: "", toolCalls: [], refusal, truncated: false, usage, usageReported: false };
}
