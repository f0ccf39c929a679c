import { NoReply, UserError } from "../core/errors.ts";
import type { PacedProvider, Tried } from "../core/model.ts";
import type { ModelProfile } from "../core/model-profile.ts";
import type { Resolved } from "../core/resolve-model.ts";
import type { ModelChoice } from "../core/route.ts";

/** Tries of each model for one reply. */
const TRIES_EACH = 5;
/** A longer wait than this is left to the queue: nothing should sleep that long holding a job. */
const LONGEST_WAIT_MS = 120_000;
/** Where nothing was asked. */
const RESTS = "the model is not asked now, as its server kept failing or asked for a pause";

/** A model of a route while one reply is asked for. */
export interface Candidate {
  effort: string | null;
  profile: ModelProfile;
  provider: PacedProvider;
  tries: number;
  /** Not to be tried before, by the monotonic clock in ms. */
  readyAt: number;
  /** Whether its provider named that time. */
  asked: boolean;
  /** Whether the conversation does not fit its window. */
  tooLong: boolean;
  /** How it failed last; null when it did not. */
  failed: Failure | null;
  /** Whether it is not tried again for this reply. */
  out: boolean;
}

type Failure = Extract<Tried, { kind: "passing" | "final" }>;

/** What is to be done next. */
export type Next =
  | { kind: "try"; candidate: Candidate }
  | { kind: "wait"; ms: number }
  /** `due`: when a model with a larger window may be there again, in ms since the epoch; null: never. */
  | { kind: "too_long"; due: number | null };

export interface CandidateDeps {
  /** By their ids. */
  providers: ReadonlyMap<string, PacedProvider>;
  /** What is known of a model, or why it may not be used (any more). */
  resolve: (model: string) => Resolved;
}

/** The models of a route that may still be used, in its order. Throws UserError when none may. */
export function candidatesOf(choices: readonly ModelChoice[], deps: CandidateDeps): Candidate[] {
  const problems: string[] = [];
  const candidates = choices.flatMap(({ model, effort }) => {
    const resolved = deps.resolve(model);
    if (!resolved.ok) {
      problems.push(resolved.problem);
      return [];
    }
    const { profile } = resolved;
    const provider = deps.providers.get(profile.provider);
    if (!provider) throw new Error(`model ${model} has no provider ${profile.provider}`);
    const before = { tries: 0, readyAt: 0, asked: false, tooLong: false, failed: null, out: false };
    return [{ effort, profile, provider, ...before }];
  });
  if (candidates.length === 0) throw new UserError(problems.join("; "));
  return candidates;
}

/**
 * The first candidate that may be tried now, else how long to wait for one. Throws NoReply when the
 * job should wait in the queue instead, and UserError when only the operator can help.
 */
export function nextOf(candidates: readonly Candidate[], now: number): Next {
  const left = candidates.filter(({ out, tooLong }) => !out && !tooLong);
  const waits = left.map((each) => waitOf(each, now));
  const ms = Math.min(...waits);
  const candidate = left[waits.indexOf(ms)];
  if (candidate === undefined || ms > LONGEST_WAIT_MS) {
    // Shorter, it fits one that is there.
    if (candidates.some(({ tooLong, out }) => tooLong && !out)) {
      return { kind: "too_long", due: dueOf(candidates, now) };
    }
    throw givenUp(candidates, now);
  }
  return ms > 0 ? { kind: "wait", ms } : { kind: "try", candidate };
}

/** When the first model that the conversation may fit is there again. */
function dueOf(candidates: readonly Candidate[], now: number): number | null {
  const waits = candidates
    .filter(({ tooLong, out, failed }) => !tooLong && !(out && isOfOperator(failed)))
    .map((each) => waitOf(each, now));
  return waits.length === 0 ? null : Date.now() + Math.min(...waits);
}

/** Whether only the operator can help. */
function isOfOperator(failed: Failure | null): boolean {
  return failed !== null && (failed.kind === "final" || failed.operator);
}

function waitOf(candidate: Candidate, now: number): number {
  return Math.max(candidate.readyAt - now, restOf(candidate), 0);
}

function restOf({ provider, profile }: Candidate): number {
  return provider.restsFor(profile.id);
}

/** Takes down how a try failed. `now` is by the monotonic clock, in ms. */
export function failedWith(candidate: Candidate, failure: Failure, now: number): void {
  candidate.tries += 1;
  candidate.failed = failure;
  candidate.out = failure.kind === "final" || candidate.tries >= TRIES_EACH;
  if (failure.kind === "final") return;
  candidate.asked = failure.afterMs !== null;
  candidate.readyAt = now + waitAfter(failure.afterMs, candidate.tries);
}

/** Takes down that a conversation does not fit: it fits no smaller window either, as far as both are known. */
export function isTooLong(candidates: readonly Candidate[], failed: Candidate): void {
  const { contextWindow, windowGuessed } = failed.profile;
  failed.tooLong = true;
  for (const each of candidates) {
    const known = !windowGuessed && !each.profile.windowGuessed;
    if (known && each.profile.contextWindow <= contextWindow) each.tooLong = true;
  }
}

/** What the provider asked for and up to a tenth more, else 1, 2, 4 … seconds, half to one and a half of it. */
function waitAfter(afterMs: number | null, tries: number): number {
  if (afterMs !== null) return afterMs * (1 + Math.random() / 10);
  return Math.min(30_000, 1000 * 2 ** (tries - 1)) * (0.5 + Math.random());
}

/** Why no reply comes now: NoReply when it may come later, UserError when only the operator can help. */
export function givenUp(candidates: readonly Candidate[], now: number): Error {
  const failures = candidates.flatMap(({ failed }) => (failed ? [failed] : []));
  const words = [...new Set(failures.map(({ message }) => message))].join("; ");
  if (failures.length > 0 && failures.every(isOfOperator)) return new UserError(words);
  const tries = candidates.reduce((sum, each) => sum + each.tries, 0);
  // Without a time of a provider's own the job waits as it does for any failure, and ever longer.
  const times = candidates.flatMap((each) => {
    return each.asked || restOf(each) > 0 ? [waitOf(each, now)] : [];
  });
  return new NoReply(
    words === ""
      ? RESTS
      : `no reply from the model after ${tries === 1 ? "1 try" : `${tries} tries`}: ${words}`,
    words || null,
    times.length > 0 ? { retryAt: Date.now() + Math.min(...times) } : {},
  );
}
