import type { AgentOutcome } from "../agents/outcome.ts";
import { checksFailedPrompt, refusedPrompt } from "../agents/prompt.ts";
import type { Resumed } from "../agents/resume.ts";
import { hostWords } from "../core/denied-hosts.ts";
import type { Ending, Job, JobState, VerifiedChange } from "../core/job.ts";
import { heldReason, violationsForAgent } from "../core/messages/held.ts";
import type { JobStore } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type BeginDeps, begin } from "./begin.ts";
import { packChange } from "./bring-change.ts";
import { type ConverseDeps, converse } from "./converse.ts";
import { deniedDuring } from "./denied.ts";
import { branchProblem, type InspectDeps, type Inspection, inspect } from "./inspect.ts";
import { sendBack } from "./send-back.ts";
import { type Short, stoppedShort } from "./stopped-short.ts";
import { verify } from "./verify.ts";
import { said, wordsOf } from "./words-of.ts";

/** Times a change goes back to the agent because of failed checks, and as often because it cannot be taken. */
const MAX_ROUNDS = 2;

export interface WorkDeps extends BeginDeps, ConverseDeps, InspectDeps {
  jobs: JobStore;
  now: () => number;
  /** Host of GitHub's pages, for noreply addresses. */
  webHost: string;
}

/**
 * The work of a job up to a verified change: workspace, agent, snapshot, checks, and back to the agent
 * while rounds last. Null when the job ended without a change that may leave: it made none, or what it
 * made is held until an admin allows it.
 */
export async function work(
  attempt: Attempt,
  deps: WorkDeps,
  signal: AbortSignal,
): Promise<VerifiedChange | null> {
  const { job } = attempt;
  const telling = await branchProblem(job, deps);
  if (telling !== null) return stop(attempt, "blocked", telling, deps);
  const begun = await begin(attempt, deps, signal);
  if (begun.status === "failed") return stop(attempt, "failed", begun.reason, deps);
  const { command, models, transcript } = begun;
  const { messages, workspace } = begun.talk;
  let { rounds, failedChecks } = transcript;
  let resumed: Resumed = transcript;
  for (;;) {
    const caps = () => models.caps;
    const talk = { ...begun.talk, model: models.after(failedChecks), caps, resumed };
    const outcome = await converse(attempt, talk, deps, signal);
    resumed = { ...resumed, notice: null };
    const short = stoppedShort(outcome);
    const words = wordsOf(outcome, job, command.actor, deps.webHost);
    const { message, threads } = words;
    if (threads) await attempt.write({ threads });
    // Why it stopped may be told in words of the model, too.
    const leaving = short === null ? words.all : [...words.all, short.why];
    const snapshot = await deps.workspaces.snapshot(workspace, job.repo, job.baseSha, message);
    if (snapshot.status === "empty") return endUnchanged(attempt, outcome, short, deps);
    const inspection =
      snapshot.status === "refused"
        ? refused(snapshot.reason)
        : await inspect(job, { ...snapshot, parent: job.baseSha, words: leaving }, deps);
    const obstacle = obstacleOf(inspection);
    const finished = short === null;
    if (obstacle !== null && finished && rounds - failedChecks < MAX_ROUNDS) {
      rounds += 1;
      const { reason } = obstacle;
      await sendBack(attempt, messages, refusedPrompt(obstacle.told), { reason });
      continue;
    }
    if (inspection.status === "refused" || snapshot.status === "refused") {
      const reason = obstacle?.reason ?? "the change cannot be taken";
      const why = short === null ? "" : `\n\nThe agent was stopped because ${short.why}.`;
      return stop(attempt, "blocked", `${reason}${why}`, deps);
    }
    attempt.goOn();
    const ending = short?.ending ?? null;
    await attempt.move("verifying", { ending, lastAction: "running the checks" });
    const evidence = await verify(deps, job, snapshot.commit, signal);
    await attempt.write(
      {},
      evidence.map((check) => ({ type: "evidence", evidence: check })),
    );
    const failing = evidence.filter((check) => check.exitCode !== 0);
    if (failing.length > 0 && finished && failedChecks < MAX_ROUNDS) {
      await attempt.move("running", { lastAction: "mending failed checks" });
      rounds += 1;
      failedChecks += 1;
      const why = { reason: `${failing.length} failed checks`, failedChecks: true } as const;
      await sendBack(attempt, messages, checksFailedPrompt(failing), why);
      continue;
    }
    const { cautions, violations, excerpt } = inspection;
    const change: VerifiedChange = {
      commit: snapshot.commit,
      parent: job.baseSha,
      tree: snapshot.tree,
      files: snapshot.files.map(({ path, added, removed, status }) => ({
        path,
        added,
        removed,
        status,
      })),
      evidence,
      deniedHosts: await deniedOf(job, deps),
      cautions,
      violations,
      excerpt,
      title: words.title,
      summary: words.summary,
      message,
      limit: short?.why ?? null,
      ...(ending?.kind === "cap" && { outOfBudget: true }),
    };
    if (violations.length === 0) return change;
    const reason = heldReason(violations);
    const held = await packChange(job, change, deps);
    await attempt.move("blocked", { change, reason, lastAction: "", endedAt: deps.now() }, held);
    return null;
  }
}

function refused(reason: string): Inspection {
  return { status: "refused", reason, told: reason };
}

/** Why a change may not leave as it is: for people, and for the agent. */
function obstacleOf(inspection: Inspection): { reason: string; told: string } | null {
  if (inspection.status === "refused") return inspection;
  const { violations } = inspection;
  if (violations.length === 0) return null;
  return { reason: heldReason(violations), told: violationsForAgent(violations) };
}

/** Ends a job that left everything as it was, in the agent's own words or those of what stopped it. */
async function endUnchanged(
  attempt: Attempt,
  { report }: AgentOutcome,
  short: Short | null,
  deps: WorkDeps,
): Promise<null> {
  const { job } = attempt;
  const denied = await deniedOf(job, deps);
  const refused =
    denied.length > 0
      ? `\n\nIts commands could not reach ${hostWords(denied, job.config.network)}.`
      : "";
  const { state, reason } = short?.unchanged ?? { state: "no_change", reason: said(report) };
  return stop(attempt, state, `${reason}${refused}`, deps, short?.ending ?? null);
}

/** What the network refused to the setup and to the agent's commands. */
async function deniedOf(job: Job, deps: WorkDeps): Promise<string[]> {
  return deniedDuring(await deps.jobs.events(job.id), job.config.setup);
}

async function stop(
  attempt: Attempt,
  state: JobState,
  reason: string,
  deps: WorkDeps,
  ending: Ending | null = null,
): Promise<null> {
  await attempt.move(state, { reason, ending, lastAction: "", endedAt: deps.now() });
  return null;
}
