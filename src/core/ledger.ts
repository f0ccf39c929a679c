import type { Price } from "./model-profile.ts";

/** What may be spent, in micro-dollars, from the narrowest to the widest; null: no bound. Days and months are UTC. */
export interface Caps {
  call: number | null;
  job: number | null;
  command: number | null;
  personDay: number | null;
  repositoryDay: number | null;
  repositoryMonth: number | null;
  installationMonth: number | null;
  operatorMonth: number | null;
}

/** A model call that is about to be made. */
export interface NewCall {
  /** UUIDv7. */
  id: string;
  jobId: string;
  /** The claim that makes it. */
  fence: number;
  commandId: string;
  actorId: number;
  repoId: number;
  installationId: number;
  /** Name of the skill the job began with; null without one. */
  skill: string | null;
  step: number;
  provider: string;
  model: string;
  /** Rule that chose the model. */
  rule: string;
  /** Null for an unpriced model: the call costs nothing that is counted. */
  price: Price | null;
  /** Tokens the prompt has at most. */
  promptTokens: number;
  /** Output tokens that are wanted, and with how few the call is still worth making. */
  wanted: number;
  least: number;
}

/** The cap that a call did not fit under: `spent` of its `limit` are used or reserved, in micro-dollars. */
export interface CapReached {
  cap: keyof Caps;
  spent: number;
  limit: number;
}

/** Whether a call may be made. */
export type Reserved =
  /** With at most `maxOutput` tokens; `jobSpent` is what the job has spent or reserved, this call included, in micro-dollars. */
  | { status: "reserved"; maxOutput: number; microDollars: number; jobSpent: number }
  /** Not even the least fits: `spent` of `limit` micro-dollars are spent or reserved under that cap. */
  | { status: "refused"; cap: keyof Caps; spent: number; limit: number }
  /** It does not fit now, and may under every cap once the calls that are under way have cost less than reserved. */
  | { status: "crowded"; cap: keyof Caps; spent: number; limit: number }
  /** The claim is another's, or the job has ended. */
  | { status: "lost" };

/** How a call ended, for the ledger. */
export type Settlement =
  /** `microDollars` is null when the provider told no usage: then what was reserved is what it cost. */
  | {
      kind: "answered";
      inputTokens: number;
      cachedTokens: number;
      outputTokens: number;
      reasoningTokens: number | null;
      microDollars: number | null;
      latencyMs: number;
      requestId: string | null;
    }
  /** It cost nothing: the provider refused it, or was not reached. */
  | { kind: "void"; reason: string; latencyMs: number }
  /** Nobody knows what it cost: what was reserved stays counted. */
  | { kind: "unknown"; reason: string; latencyMs: number };

/** One row of the ledger. */
export interface LedgerRow {
  id: string;
  jobId: string;
  commandId: string;
  actorId: number;
  repoId: number;
  installationId: number;
  skill: string | null;
  step: number;
  provider: string;
  model: string;
  rule: string;
  state: "reserved" | "answered" | "void" | "unknown";
  /** What counts against the caps, in micro-dollars: what was reserved until the cost is known. */
  microDollars: number;
  /** What was reserved. */
  reserved: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number | null;
  /** Null for an unpriced model. */
  price: Price | null;
  /** False: tokens are an estimate, since the provider told none. */
  reported: boolean;
  latencyMs: number | null;
  requestId: string | null;
  /** Why it was not answered; empty otherwise. */
  reason: string;
  /** By the clock of the store, in ms since the epoch. */
  at: number;
}

/** Sums over calls. `microDollars` counts reservations in full. */
export interface Spent {
  /** Without those that the provider refused, or was not reached with. */
  calls: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  microDollars: number;
  /** Whether a call of an unpriced model is among them. */
  unpriced: boolean;
  /** The models that answered, in the order in which they first did. */
  models: string[];
}

/** The ledger of model calls: one row each, written before the call. Every figure is a sum over rows. */
export interface LedgerStore {
  /**
   * Reserves the most that a call can cost under every cap at once, with fewer output tokens where it has
   * to be. Of calls that are reserved at the same time, by whatever process, each sees those before it.
   */
  reserve(call: NewCall, caps: Caps): Promise<Reserved>;
  /** Says how a call ended; the first word counts, a second one changes nothing. */
  settle(id: string, how: Settlement): Promise<void>;
  spentBy(jobIds: string[]): Promise<Map<string, Spent>>;
}
