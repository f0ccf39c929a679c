import { LostLease, StoppedByPerson, TransientError, toError, UserError } from "../core/errors.ts";
import { isTerminal, type Job, type JobState, type VerifiedChange } from "../core/job.ts";
import { checksPass } from "../core/messages/pull.ts";
import { utcTime } from "../core/messages/words.ts";
import type { ClaimStore, JobAccess, JobStore, Log, Sandbox } from "../core/ports.ts";
import { isReadOnly } from "../core/verbs.ts";
import { answer } from "./answer.ts";
import { type Attempt, createAttempt } from "./attempt.ts";
import { packChange } from "./bring-change.ts";
import { cancel } from "./cancel.ts";
import { fenced } from "./fenced.ts";
import { followRename } from "./follow-rename.ts";
import { keepLease, type Lease } from "./lease.ts";
import { letOut } from "./let-out.ts";
import { persistent, persistentLedger } from "./persist.ts";
import { type PublishDeps, publish } from "./publish.ts";
import { recheck } from "./recheck.ts";
import { clearShelf } from "./shelf.ts";
import { verify } from "./verify.ts";
import { LONG_WAIT_MS, MAX_ATTEMPTS, nextTry } from "./wait-before.ts";
import { type WorkDeps, work } from "./work.ts";

/** Processes that die with a job and no other before it finishes a step, after which it is given up. */
const MAX_CRASHES = 3;
/** How long what the gate said when the command came holds for the first attempt. */
const FRESH_MS = 60_000;

export interface RunDeps extends WorkDeps, PublishDeps {
  /** Lends what a job may do on GitHub, for one attempt. */
  access: JobAccess;
  claims: ClaimStore;
  jobs: JobStore;
  sandbox: Sandbox;
  neighbours: (commandId: string) => Promise<void>;
  redact: (text: string) => string;
  now: () => number;
  log: Log;
}

/**
 * One attempt of a claimed job, to its told end or until it is given back. `claimedAt` is by the monotonic
 * clock; `interrupt` ends it early. Throws only when the store itself fails.
 */
export async function runJob(
  claimed: Job,
  claimedAt: number,
  deps: RunDeps,
  interrupt: Interrupt,
): Promise<void> {
  const lease = keepLease(claimed, claimedAt, deps);
  const signal = AbortSignal.any([interrupt.now, lease.signal]);
  const insist = () => {
    lease.insist();
    signal.throwIfAborted();
  };
  const goOn = () => {
    insist();
    interrupt.soon.throwIfAborted();
  };
  const patience = { log: deps.log, insist: () => stillOurs(lease, interrupt) };
  const jobs = persistent(deps.jobs, patience);
  const ledger = persistentLedger(deps.ledger, patience, deps.redact);
  const attempt = createAttempt(claimed, { signal, insist, goOn }, { ...deps, jobs });
  const access = deps.access.forJob(claimed.id);
  try {
    const means = fenced({ ...deps, ledger, github: access.github }, insist, signal);
    await story(attempt, means, signal);
    lease.end();
    await tidy(attempt, deps);
  } catch (thrown) {
    if (lease.signal.aborted || (thrown instanceof LostLease && !interrupt.now.aborted)) {
      return await giveUp(claimed, deps);
    }
    await settle(attempt, toError(thrown), deps, interrupt).catch((lost: unknown) => {
      if (!(lost instanceof LostLease)) throw lost;
    });
  } finally {
    lease.end();
    access.end();
  }
}

/** Throws when a write need not be waited for any more: a job that somebody stopped is still written. */
function stillOurs(lease: Lease, { now }: Interrupt): void {
  lease.insist();
  if (!(now.reason instanceof StoppedByPerson)) now.throwIfAborted();
}

/** Says of a job that may be another's that this process did not die with it. */
async function giveUp({ id, fence }: Job, { claims, log }: RunDeps): Promise<void> {
  try {
    await claims.release(id, fence, { inMs: 0, burn: false });
  } catch (thrown) {
    // Its lease ends all the same.
    log.warn({ err: toError(thrown), jobId: id }, "a job could not be given back");
  }
}

/** What ends an attempt early: at once, with the server or because somebody stopped the job; or after its step. */
export interface Interrupt {
  now: AbortSignal;
  soon: AbortSignal;
}

async function story(attempt: Attempt, deps: RunDeps, signal: AbortSignal): Promise<void> {
  const { job } = attempt;
  attempt.goOn();
  if (job.attempts > MAX_ATTEMPTS) {
    throw new UserError(`it was tried ${MAX_ATTEMPTS} times without getting on`);
  }
  if ((job.crashes?.alone ?? 0) >= MAX_CRASHES) {
    throw new UserError(
      `the server died ${MAX_CRASHES} times while it worked on this job alone, each time at the same step; its operator finds why in the server's log, or in the system's when memory ran out`,
    );
  }
  if (job.fence > 1 || Math.abs(deps.now() - job.createdAt) > FRESH_MS) {
    await followRename(attempt, deps);
    await recheck(job, deps);
  }
  const boundary = await deps.sandbox.check();
  if (!boundary.ok && boundary.passing) throw new TransientError(boundary.remedy);
  if (!boundary.ok) {
    await end(
      attempt,
      "blocked",
      `this server has no working sandbox\n\nFor its operator: ${boundary.remedy}`,
      deps,
    );
    return;
  }
  if (isReadOnly(job.work)) return answer(attempt, deps, signal);
  const change = await changeOf(attempt, deps, signal);
  if (change === null) return;
  if (job.state !== "publishing")
    await attempt.move(
      "publishing",
      { change, lastAction: "publishing" },
      await packChange(job, change, deps),
    );
  const publication = await publish(attempt, change, deps, (commit) =>
    verify(deps, job, commit, signal),
  );
  await attempt.write({ publication });
  await deps.neighbours(await pullCommand(job, deps)).catch((thrown) => {
    // What is published stands all the same; the next sibling compares again.
    deps.log.warn({ err: toError(thrown), jobId: job.id }, "siblings could not be compared");
  });
  const limit = job.change?.limit;
  if (limit) {
    // The model went, and not the means of the job.
    const left = job.ending?.kind === "declined" || job.ending?.kind === "model_failed";
    const reason = `stopped because ${limit}; what stands is published`;
    return end(attempt, left ? "failed" : "over_budget", reason, deps);
  }
  const passed = job.change ? checksPass(job.change) : true;
  return end(attempt, "done", passed ? "" : "published with failing checks", deps);
}

/** The command whose pull requests the job changed: its own, or the one that opened what it added to. */
async function pullCommand(job: Job, { commands }: RunDeps): Promise<string> {
  const { repo, target } = job;
  const opened =
    target.kind === "follow_up" ? await commands.jobOfPull(repo.id, target.pull) : null;
  return opened?.commandId ?? job.commandId;
}

/** What is to be published: made before a restart, let out by an admin, or still to be made. */
function changeOf(
  attempt: Attempt,
  deps: RunDeps,
  signal: AbortSignal,
): Promise<VerifiedChange | null> {
  const { change, allowance, state } = attempt.job;
  if (change !== null && state === "publishing") return Promise.resolve(change);
  if (change !== null && allowance !== null) {
    return letOut(attempt, change, allowance, deps, signal);
  }
  return work(attempt, deps, signal);
}

async function end(
  attempt: Attempt,
  state: JobState,
  reason: string,
  deps: { now: () => number },
): Promise<void> {
  await attempt.move(state, { reason, lastAction: "", endedAt: deps.now() });
}

/** Ends a job that failed or was stopped, or gives it back to be tried again. */
async function settle(
  attempt: Attempt,
  error: Error,
  deps: RunDeps,
  interrupt: Interrupt,
): Promise<void> {
  const { job } = attempt;
  const { now, soon } = interrupt;
  if (now.reason instanceof StoppedByPerson) {
    await cancel(attempt, now.reason.message, deps);
    return tidy(attempt, deps);
  }
  if (now.aborted || (soon.aborted && error === soon.reason)) {
    return deps.claims.release(job.id, job.fence, { inMs: 0, burn: false });
  }
  if (error instanceof TransientError && (await retried(attempt, error, deps))) return;
  const known = error instanceof UserError || error instanceof TransientError;
  deps.log[known ? "warn" : "error"]({ err: error, jobId: job.id }, "a job failed");
  const reason = known
    ? error.message
    : `an internal error; the server's log has it under job ${job.id}`;
  // What an admin let out stays held: once the reason is mended, it can be allowed again.
  await end(attempt, job.allowance === null ? "failed" : "blocked", reason, deps);
  await tidy(attempt, deps);
}

/** Gives a job back that failed in passing, while attempts and time last. */
async function retried(attempt: Attempt, error: TransientError, deps: RunDeps): Promise<boolean> {
  const { job } = attempt;
  const now = deps.now();
  const next = nextTry(job, error, now);
  if (next.kind !== "wait") return false;
  deps.log.warn({ jobId: job.id, reason: error.message }, "a job will be tried again");
  const until = Math.max(error.retryAt ?? 0, now + next.ms);
  const when = until - now < LONG_WAIT_MS ? "" : ` until ${utcTime(until)}`;
  const lastAction = `waiting${when} to try again: ${error.message}`;
  await attempt.write({ spend: next.spend, lastAction });
  await deps.claims.release(job.id, job.fence, { inMs: next.ms, burn: next.burn });
  return true;
}

/** Takes the workspace away once the job has ended; what fails here does not change how it ended. */
async function tidy(attempt: Attempt, deps: RunDeps): Promise<void> {
  const { job } = attempt;
  if (!isTerminal(job.state)) return;
  try {
    if (deps.shelves) await clearShelf(job, deps.outbox);
    await deps.workspaces.close(job.id, job.repo);
  } catch (thrown) {
    deps.log.warn({ err: toError(thrown), jobId: job.id }, "what a job left could not be removed");
  }
}
