import { TransientError, toError, UserError } from "../core/errors.ts";
import { isTerminal, type Job, type JobState, type VerifiedChange } from "../core/job.ts";
import { checksPass } from "../core/messages/pull.ts";
import type { JobAccess, JobStore, Log, Sandbox } from "../core/ports.ts";
import { type Attempt, createAttempt, LostLease } from "./attempt.ts";
import { letOut } from "./let-out.ts";
import { type PublishDeps, publish } from "./publish.ts";
import { PAUSE_LOOK_MS, recheck } from "./recheck.ts";
import type { Tried } from "./runner.ts";
import { verify } from "./verify.ts";
import { type WorkDeps, work } from "./work.ts";

/** One server holds the data directory, so after a restart its own leases may be taken again. */
const OWNER = "server";
const LEASE_MS = 15_000;
const BEAT_MS = 5_000;
/** Claims after which a job that always ends in a crash or a passing failure is given up. */
const MAX_ATTEMPTS = 10;
const RETRY_MS = 2_000;
/** How long what the gate said when the command came holds for the first attempt. */
const FRESH_MS = 60_000;

export interface RunDeps extends WorkDeps, PublishDeps {
  /** Lends what a job may do on GitHub, for one attempt. */
  access: JobAccess;
  jobs: JobStore;
  sandbox: Sandbox;
  neighbours: (commandId: string) => Promise<void>;
  redact: (text: string) => string;
  now: () => number;
  log: Log;
}

/** One attempt of a job, from the claim to its told end. Throws only when the store itself fails. */
export async function runJob(jobId: string, deps: RunDeps, stopping: AbortSignal): Promise<Tried> {
  const paused = await deps.killSwitch.paused();
  if (paused !== null) {
    return waitFor(jobId, `the operator of this server paused it: ${paused}`, deps);
  }
  const scarce = await deps.sandbox.room();
  if (scarce !== null) {
    deps.log.warn({ jobId, reason: scarce }, "a job waits: the machine has no room for it");
    return waitFor(jobId, "this server is short of disk or memory", deps);
  }
  const claimed = await deps.jobs.claim(jobId, OWNER, LEASE_MS);
  if (!claimed) return { status: "ended" };
  const attempt = createAttempt(claimed, deps);
  const access = deps.access.forJob(jobId);
  const lost = new AbortController();
  const signal = AbortSignal.any([stopping, lost.signal]);
  const beat = setInterval(() => {
    deps.jobs
      .renew(jobId, claimed.fence, LEASE_MS)
      .then((ours) => ours || lost.abort(new LostLease(`job ${jobId} was taken over`)))
      .catch((error) =>
        deps.log.warn({ err: toError(error), jobId }, "a lease could not be renewed"),
      );
  }, BEAT_MS);
  try {
    await story(attempt, { ...deps, github: access.github }, signal);
  } catch (thrown) {
    if (signal.aborted || thrown instanceof LostLease) return { status: "ended" };
    const retryAt = await settle(attempt, toError(thrown), deps);
    if (retryAt !== null) return { status: "again", at: retryAt };
  } finally {
    clearInterval(beat);
    access.end();
  }
  await tidy(attempt, deps);
  return { status: "ended" };
}

/** While it has to wait a job is not claimed, so that a long wait costs it none of its attempts. */
async function waitFor(jobId: string, why: string, deps: RunDeps): Promise<Tried> {
  const job = await deps.jobs.job(jobId);
  if (!job || isTerminal(job.state)) return { status: "ended" };
  const lastAction = `waiting: ${why}`;
  if (job.lastAction !== lastAction) await createAttempt(job, deps).write({ lastAction });
  return { status: "again", at: deps.now() + PAUSE_LOOK_MS };
}

async function story(attempt: Attempt, deps: RunDeps, signal: AbortSignal): Promise<void> {
  const { job } = attempt;
  const most = mostAttempts(job);
  if (job.fence > most) {
    throw new UserError(`it was tried ${most} times without coming to an end`);
  }
  if (job.fence > 1 || deps.now() - job.createdAt > FRESH_MS) await recheck(job, deps);
  const boundary = await deps.sandbox.check();
  if (!boundary.ok) {
    await end(
      attempt,
      "blocked",
      `this server has no working sandbox\n\nFor its operator: ${boundary.remedy}`,
      deps,
    );
    return;
  }
  const change = await changeOf(attempt, deps, signal);
  if (change === null) return;
  if (job.state !== "publishing")
    await attempt.move("publishing", { change, lastAction: "publishing" });
  const publication = await publish(attempt, change, deps, (commit) =>
    verify(deps, job, commit, signal),
  );
  await attempt.write({ publication });
  await deps.neighbours(await pullCommand(job, deps)).catch((thrown) => {
    // What is published stands all the same; the next sibling compares again.
    deps.log.warn({ err: toError(thrown), jobId: job.id }, "siblings could not be compared");
  });
  const limit = job.change?.limit;
  if (limit)
    return end(attempt, "over_budget", `stopped because ${limit}; what stands is published`, deps);
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

/** The way of a change that was held begins anew when an admin lets it out. */
function mostAttempts({ allowance }: Job): number {
  return allowance === null ? MAX_ATTEMPTS : 3 * MAX_ATTEMPTS;
}

/** Ends a job that failed, or says when to try again. */
async function settle(attempt: Attempt, error: Error, deps: RunDeps): Promise<number | null> {
  const { job } = attempt;
  if (error instanceof TransientError && job.fence < mostAttempts(job)) {
    const at = deps.now() + RETRY_MS * 2 ** Math.min(job.fence - 1, 7);
    const limit = (job.startedAt ?? deps.now()) + job.config.limits.minutes * 60_000;
    // A wait that GitHub or the model's server asked for is kept, however long.
    if (error.retryAt !== undefined || at < limit) {
      deps.log.warn({ jobId: job.id, reason: error.message }, "a job will be tried again");
      await attempt.write({ lastAction: `waiting to try again: ${error.message}` });
      return Math.max(error.retryAt ?? 0, at);
    }
  }
  const known = error instanceof UserError || error instanceof TransientError;
  deps.log[known ? "warn" : "error"]({ err: error, jobId: job.id }, "a job failed");
  const reason = known
    ? error.message
    : `an internal error; the server's log has it under job ${job.id}`;
  // What an admin let out stays held: once the reason is mended, it can be allowed again.
  await end(attempt, job.allowance === null ? "failed" : "blocked", reason, deps);
  return null;
}

/** Takes the workspace away once the job has ended; what fails here does not change how it ended. */
async function tidy(attempt: Attempt, deps: RunDeps): Promise<void> {
  const { job } = attempt;
  if (!isTerminal(job.state)) return;
  try {
    await deps.workspaces.close(job.id, job.repo);
  } catch (thrown) {
    deps.log.warn({ err: toError(thrown), jobId: job.id }, "a workspace could not be removed");
  }
}
