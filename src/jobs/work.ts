import type { AgentOutcome } from "../agents/outcome.ts";
import { checksFailedPrompt, refusedPrompt } from "../agents/prompt.ts";
import type { Resumed } from "../agents/resume.ts";
import { hostWords } from "../core/denied-hosts.ts";
import type { Command, Ending, Job, JobState, VerifiedChange } from "../core/job.ts";
import { heldReason, violationsForAgent } from "../core/messages/held.ts";
import type { JobStore, Workspace } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type BriefingDeps, briefing } from "./briefing.ts";
import { packChange } from "./bring-change.ts";
import { type ConverseDeps, converse } from "./converse.ts";
import { deniedDuring } from "./denied.ts";
import { branchProblem, type InspectDeps, type Inspection, inspect } from "./inspect.ts";
import { type JobModelDeps, jobModels } from "./job-model.ts";
import { createKeeper } from "./keep-files.ts";
import { prepare } from "./prepare.ts";
import { type ReopenDeps, reopen } from "./reopen.ts";
import { sendBack } from "./send-back.ts";
import type { ShelfDeps } from "./shelf.ts";
import { type SkillsDeps, skillsOf } from "./skills-of.ts";
import { type Short, stoppedShort } from "./stopped-short.ts";
import { bringBack, firstSkill, type TakeUpDeps } from "./take-up-skill.ts";
import { skillChooser, tellSkills } from "./tell-skills.ts";
import { transcriptOf } from "./transcript.ts";
import { verify } from "./verify.ts";
import { said, wordsOf } from "./words-of.ts";

/** Times a change goes back to the agent because of failed checks, and as often because it cannot be taken. */
const MAX_ROUNDS = 2;

export interface WorkDeps
  extends ConverseDeps,
    JobModelDeps,
    BriefingDeps,
    InspectDeps,
    ReopenDeps,
    ShelfDeps,
    SkillsDeps,
    TakeUpDeps {
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
  const events = await deps.jobs.events(job.id);
  const transcript = transcriptOf(events);
  await deps.github.readGit(job.repo, (token) =>
    deps.workspaces.fetch(job.repo, [job.baseSha], token),
  );
  const catalogue = await skillsOf(job, deps, signal);
  const first = firstSkill(job, catalogue);
  if (transcript.messages.length === 0 && first.kind === "refused")
    return stop(attempt, "failed", first.reason, deps);
  // As if all attempts were one: what earlier ones worked counts.
  const startedAt = Math.round(performance.now()) - (job.spend.workedMs ?? 0);
  await attempt.move("running", {
    startedAt: job.startedAt ?? deps.now(),
    lastAction: "preparing",
  });
  const { messages, seen, started } = transcript;
  let { rounds, failedChecks } = transcript;
  let workspace: Workspace;
  if (messages.length > 0) {
    workspace = await reopen(attempt, transcript, deps, signal);
    await bringBack(job, catalogue, deps);
  } else {
    const { id: jobId, repo, baseSha: sha, fence } = job;
    workspace = await deps.workspaces.open({ jobId, repo, sha, fence, resume: null });
    await attempt.write({}, [{ type: "opened", sha, fence }]);
    const failed = await prepare(workspace, attempt, deps, signal);
    if (failed !== null) return stop(attempt, "failed", failed, deps);
    const told = await briefing(job, deps, await tellSkills(attempt, first, catalogue, deps));
    messages.push(...told.messages);
    await attempt.write({ sources: told.sources }, told.events);
  }
  const stands = transcript.commit === undefined ? job.baseSha : transcript.commit;
  const keep = createKeeper(attempt, workspace, stands, deps);
  const onSkill = skillChooser(attempt, catalogue, deps);
  const command = await commandOf(job, deps);
  const models = jobModels(attempt, command, transcript, deps);
  const { editTool } = models;
  let resumed: Resumed = transcript;
  for (;;) {
    const files = { workspace, keep, ...onSkill };
    const spoken = { messages, seen, started, resumed };
    const model = models.after(failedChecks);
    const caps = () => models.caps;
    const talk = { model, caps, editTool, startedAt, ...files, ...spoken };
    const outcome = await converse(attempt, talk, deps, signal);
    resumed = { ...resumed, notice: null };
    const short = stoppedShort(outcome);
    const words = wordsOf(outcome, job, command.actor, deps.webHost);
    const { message } = words;
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

async function commandOf(job: Job, deps: WorkDeps): Promise<Command> {
  const command = await deps.commands.command(job.commandId);
  if (!command) throw new Error(`job ${job.id} has no command`);
  return command;
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
