import { v7 as uuidv7 } from "uuid";
import type { CapUse } from "../core/caps.ts";
import { LostLease, toError } from "../core/errors.ts";
import type { Caps, LedgerStore, NewCall, Settlement } from "../core/ledger.ts";
import type { Model, TokenUsage, Tried } from "../core/model.ts";
import type { ModelProfile, Price } from "../core/model-profile.ts";
import type { Log } from "../core/ports.ts";
import { costOf } from "../core/price.ts";
import type { PromptBound } from "../core/prompt-bound.ts";
import type { Candidate } from "./candidates.ts";

/** With how few output tokens a call is still worth making. */
const LEAST_OUTPUT = 2_000;
/** Share of a window that a reply may take. */
const REPLY_SHARE = 0.3;

/** Who calls, and what for: the columns of the ledger that stay the same for a job. */
type Caller = Pick<
  NewCall,
  "jobId" | "fence" | "commandId" | "actorId" | "repoId" | "installationId" | "skill" | "rule"
>;

/** What a try is made and paid with. */
export interface TryMeans {
  caller: Caller;
  caps: Caps;
  bound: PromptBound;
  /** Output tokens to ask for, where the model gives as many. */
  wantedOutput: number;
  /** Throws when the reply would be nobody's. */
  insist: () => void;
  ledger: LedgerStore;
  log: Log;
}

/** What became of a try; `used`: the share of the job's budget that is gone, from 0 to 1. */
export type MeteredTry =
  | { kind: "tried"; tried: Tried; used: number }
  /** Not made: its worst case fits only when other calls that are under way cost less than theirs. */
  | { kind: "crowded"; by: CapUse }
  /** Not made: its worst case does not fit. */
  | { kind: "refused"; by: CapUse };

/** A settlement without its time. */
type Ending = Settlement extends infer Each
  ? Each extends Settlement
    ? Omit<Each, "latencyMs">
    : never
  : never;

/**
 * One call of one model: its worst case is reserved under all caps, the call made with the output that was
 * reserved, and the ledger told what became of it. Throws LostLease when the job is another's by now.
 */
export async function meteredTry(
  { profile, provider, effort }: Candidate,
  { messages, tools, step, signal }: Parameters<Model["ask"]>[0],
  { caller, caps, bound, wantedOutput, insist, ledger, log }: TryMeans,
): Promise<MeteredTry> {
  const { id: model, name, price: listed } = profile;
  if (listed === null) throw new Error(`model ${name} was let through without a price`);
  const price = listed === "unpriced" ? null : listed;
  const origin = originOf(profile);
  const promptTokens = bound.of(origin, messages, tools);
  // Of a small window the most belongs to the prompt: providers refuse a call whose reply may not fit beside it.
  const wanted = Math.floor(
    Math.min(wantedOutput, profile.maxOutput, profile.contextWindow * REPLY_SHARE),
  );
  const least = Math.min(LEAST_OUTPUT, wanted);
  const callId = uuidv7();
  const reserved = await ledger.reserve(
    {
      ...caller,
      ...{ id: callId, step, provider: profile.provider, model: name, price },
      ...{ promptTokens, wanted, least },
    },
    caps,
  );
  if (reserved.status === "lost") {
    throw new LostLease(`job ${caller.jobId} belongs to a newer attempt`);
  }
  if (reserved.status !== "reserved") return { kind: reserved.status, by: reserved };
  // Where nothing is counted the provider's own limit holds: not every server takes another.
  const maxOutput = price === null ? null : reserved.maxOutput;
  const startedAt = performance.now();
  const settle = (how: Ending) =>
    ledger.settle(callId, { ...how, latencyMs: Math.round(performance.now() - startedAt) });
  let tried: Tried;
  let sent = false;
  try {
    insist();
    tried = await provider.tryOnce({
      ...{ model, effort, maxOutput, messages, tools, callId, signal },
      onSend: () => {
        sent = true;
      },
    });
  } catch (thrown) {
    // Whoever was asked may have begun to answer; who still stood in line was not.
    await settle({ kind: sent ? "unknown" : "void", reason: toError(thrown).message });
    throw thrown;
  }
  const ending = endingOf(tried, price);
  await settle(ending);
  if (tried.kind === "reply" && tried.reply.usageReported) {
    bound.told(origin, messages, tried.reply.usage);
  }
  const cost = costed(ending) ?? reserved.microDollars;
  if (cost > reserved.microDollars) {
    const { jobId } = caller;
    log.warn(
      { jobId, callId, provider: profile.provider, cost, reserved: reserved.microDollars },
      "a provider counted more tokens than a call of this size can have",
    );
  }
  const spent = reserved.jobSpent - reserved.microDollars + cost;
  return { kind: "tried", tried, used: caps.job === null ? 0 : spent / caps.job };
}

/** A model as its provider knows it, as `provider/model`. */
export function originOf({ provider, id }: ModelProfile): string {
  return `${provider}/${id}`;
}

function endingOf(tried: Tried, price: Price | null): Ending {
  if (tried.kind !== "reply") {
    if (tried.kind === "passing" && tried.usage) return answered(tried.usage, true, null, price);
    const unknown = tried.kind === "passing" && tried.billed;
    return { kind: unknown ? "unknown" : "void", reason: tried.message };
  }
  const { reply, requestId } = tried;
  return answered(reply.usage, reply.usageReported, requestId, price);
}

function answered(
  usage: TokenUsage,
  reported: boolean,
  requestId: string | null,
  price: Price | null,
): Ending {
  const { inputTokens, cachedTokens, outputTokens, reasoningTokens = null } = usage;
  return {
    ...{ kind: "answered", requestId, inputTokens, cachedTokens, outputTokens, reasoningTokens },
    microDollars: costOfReply(usage, reported, price),
  };
}

/** Null when nobody told the tokens: then it cost what was reserved. */
function costOfReply(usage: TokenUsage, reported: boolean, price: Price | null) {
  if (price === null) return 0;
  return reported ? costOf(price, usage) : null;
}

function costed(ending: Ending): number | null {
  if (ending.kind === "void") return 0;
  return ending.kind === "answered" ? ending.microDollars : null;
}
