import type { AgentOutcome } from "../agents/loop.ts";
import { checksFailedPrompt, parseReport, refusedPrompt } from "../agents/prompt.ts";
import { hostWords } from "../core/denied-hosts.ts";
import type { Job, JobState, VerifiedChange } from "../core/job.ts";
import { safeMarkdown, safePlainText, titleLine } from "../core/markdown.ts";
import { heldReason, violationsForAgent } from "../core/messages/held.ts";
import { commitMessage } from "../core/messages/pull.ts";
import type { ChatMessage } from "../core/model.ts";
import type { JobStore, Workspace } from "../core/ports.ts";
import { stripInvisible } from "../core/redact.ts";
import { howStopped } from "../core/stopped.ts";
import type { Attempt } from "./attempt.ts";
import { type BriefingDeps, briefing } from "./briefing.ts";
import { type ConverseDeps, converse } from "./converse.ts";
import { deniedDuring } from "./denied.ts";
import { branchProblem, type InspectDeps, type Inspection, inspect } from "./inspect.ts";
import { transcriptOf } from "./transcript.ts";
import { runCommands, verify } from "./verify.ts";

/** Times a change goes back to the agent because of a failed check or a path it may not touch. */
const MAX_ROUNDS = 2;

/** Characters of an agent's words that are kept as the reason of an ending. */
const MAX_WORDS = 2000;

/** Why an agent was stopped, after "because". */
const LIMIT = {
  steps: "the limit of steps was reached",
  minutes: "the time limit was reached",
  tokens: "the limit of tokens was reached",
  loop: "it repeated itself or only made calls that failed",
} as const;

export interface WorkDeps extends ConverseDeps, BriefingDeps, InspectDeps {
  jobs: JobStore;
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
  const events = await deps.jobs.events(job.id);
  const transcript = transcriptOf(events);
  await deps.github.readGit(job.repo, (token) =>
    deps.workspaces.fetch(job.repo, [job.baseSha], token),
  );
  const resume = transcript.messages.length > 0;
  const workspace = await deps.workspaces.open({
    jobId: job.id,
    repo: job.repo,
    sha: job.baseSha,
    resume,
  });
  const startedAt = deps.now();
  await attempt.move("running", { startedAt: job.startedAt ?? startedAt, lastAction: "preparing" });
  let { messages, started, rounds } = transcript;
  if (!workspace.resumed) {
    await attempt.write({}, [{ type: "opened", sha: job.baseSha }]);
    const failed = await prepare(workspace, attempt, deps, signal);
    if (failed !== null) return stop(attempt, "failed", failed, deps);
    const told = await briefing(job, deps);
    messages = told.messages;
    started = new Set();
    rounds = 0;
    await attempt.write({ sources: told.sources }, told.events);
  }
  for (;;) {
    const talk = { workspace, messages, started, startedAt };
    const outcome = await converse(attempt, talk, deps, signal);
    if (outcome.status === "silent") {
      return stop(attempt, "failed", "the model answered nothing, several times in a row", deps);
    }
    if (outcome.status === "refused") {
      return stop(attempt, "no_change", `the model declined: ${said(outcome)}`, deps);
    }
    const words = wordsOf(outcome, job);
    const message = commitMessage(
      { title: words.title, summary: words.plain },
      await actorOf(job, deps),
      deps.webHost,
    );
    const snapshot = await deps.workspaces.snapshot(workspace, job.repo, job.baseSha, message);
    if (snapshot.status === "empty") return endUnchanged(attempt, outcome, deps);
    const inspection =
      snapshot.status === "refused"
        ? refused(snapshot.reason)
        : await inspect(
            job,
            {
              ...snapshot,
              parent: job.baseSha,
              words: [stripInvisible(outcome.report), words.title, words.summary, message],
            },
            deps,
          );
    const obstacle = obstacleOf(inspection);
    const mayGoOn = outcome.status === "finished" && rounds < MAX_ROUNDS;
    if (obstacle !== null && mayGoOn) {
      rounds += 1;
      await sendBack(attempt, messages, refusedPrompt(obstacle.told), obstacle.reason);
      continue;
    }
    if (inspection.status === "refused" || snapshot.status === "refused") {
      return stop(attempt, "blocked", obstacle?.reason ?? "the change cannot be taken", deps);
    }
    await attempt.move("verifying", { lastAction: "running the checks" });
    const evidence = await verify(deps, job, snapshot.commit, signal);
    await attempt.write(
      {},
      evidence.map((check) => ({ type: "evidence", evidence: check })),
    );
    const failing = evidence.filter((check) => check.exitCode !== 0);
    if (failing.length > 0 && mayGoOn) {
      await attempt.move("running", { lastAction: "mending failed checks" });
      rounds += 1;
      await sendBack(
        attempt,
        messages,
        checksFailedPrompt(failing),
        `${failing.length} failed checks`,
      );
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
      limit: outcome.status === "limit" ? LIMIT[outcome.which] : null,
    };
    if (violations.length === 0) return change;
    await attempt.move("blocked", {
      change,
      reason: heldReason(violations),
      lastAction: "",
      endedAt: deps.now(),
    });
    return null;
  }
}

/** Runs the repository's setup commands; a sentence when one fails. */
async function prepare(
  workspace: Workspace,
  attempt: Attempt,
  deps: WorkDeps,
  signal: AbortSignal,
): Promise<string | null> {
  const { job } = attempt;
  const evidence = await runCommands(deps.sandbox, workspace, job, job.config.setup, {
    signal,
    stopAtFailure: true,
  });
  await attempt.write(
    {},
    evidence.map((check) => ({ type: "evidence", evidence: check })),
  );
  const failed = evidence.find((check) => check.exitCode !== 0);
  if (!failed) return null;
  const how = failed.stopped
    ? `was ${howStopped(failed.stopped)}`
    : `ended with exit code ${failed.exitCode}`;
  const tail = failed.output.trim().split("\n").slice(-3).join(" / ");
  const { deniedHosts } = failed;
  const refused =
    deniedHosts.length > 0
      ? `; it tried to reach ${hostWords(deniedHosts, job.config.network)}`
      : "";
  return `the setup command \`${failed.command}\` ${how}${refused}: ${tail}`;
}

/** The agent's own words, safe for a commit and for a pull request. */
function wordsOf(
  outcome: AgentOutcome,
  job: Job,
): { title: string; summary: string; plain: string } {
  const { title, summary } = parseReport(outcome.report);
  return {
    title: titleLine(title) || titleLine(job.task) || `Task ${job.number} of #${job.issue}`,
    summary: safeMarkdown(summary, { maxLength: 8000 }),
    plain: safePlainText(summary, { maxLength: 8000 }),
  };
}

async function actorOf(job: Job, deps: WorkDeps) {
  const command = await deps.commands.command(job.commandId);
  if (!command) throw new Error(`job ${job.id} has no command`);
  return command.actor;
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

/** Puts a message into the conversation, with why. */
async function sendBack(
  attempt: Attempt,
  messages: ChatMessage[],
  text: string,
  reason: string,
): Promise<void> {
  const message: ChatMessage = { role: "user", content: text };
  messages.push(message);
  await attempt.write({}, [
    { type: "round", reason },
    { type: "message", message },
  ]);
}

/** Ends a job that left everything as it was, in the agent's own words. */
async function endUnchanged(
  attempt: Attempt,
  outcome: AgentOutcome,
  deps: WorkDeps,
): Promise<null> {
  const { job } = attempt;
  const denied = await deniedOf(job, deps);
  const refused =
    denied.length > 0
      ? `\n\nIts commands could not reach ${hostWords(denied, job.config.network)}.`
      : "";
  if (outcome.status === "limit") {
    const reason = `stopped because ${LIMIT[outcome.which]}, before anything was changed`;
    return stop(attempt, "over_budget", `${reason}${refused}`, deps);
  }
  return stop(attempt, "no_change", `${said(outcome)}${refused}`, deps);
}

/** What the network refused to the setup and to the agent's commands. */
async function deniedOf(job: Job, deps: WorkDeps): Promise<string[]> {
  return deniedDuring(await deps.jobs.events(job.id), job.config.setup);
}

/** An agent's words as they are; the board shows them where nothing in them acts. */
function said(outcome: AgentOutcome): string {
  const text = stripInvisible(outcome.report).trim();
  return text.length > MAX_WORDS ? `${text.slice(0, MAX_WORDS)}…` : text;
}

async function stop(
  attempt: Attempt,
  state: JobState,
  reason: string,
  deps: WorkDeps,
): Promise<null> {
  await attempt.move(state, { reason, lastAction: "", endedAt: deps.now() });
  return null;
}
