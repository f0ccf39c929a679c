import type { Command, Job } from "../core/job.ts";
import type { JobStore } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type BriefingDeps, briefing } from "./briefing.ts";
import type { Talk } from "./converse.ts";
import { type JobModelDeps, type JobModels, jobModels } from "./job-model.ts";
import { createKeeper } from "./keep-files.ts";
import { type PrepareDeps, prepare } from "./prepare.ts";
import { type ReopenDeps, reopen } from "./reopen.ts";
import type { ShelfDeps } from "./shelf.ts";
import { type SkillsDeps, skillsOf } from "./skills-of.ts";
import { bringBack, firstSkill, type TakeUpDeps } from "./take-up-skill.ts";
import { skillChooser, tellSkills } from "./tell-skills.ts";
import { type Transcript, transcriptOf } from "./transcript.ts";

export interface BeginDeps
  extends JobModelDeps,
    BriefingDeps,
    PrepareDeps,
    ReopenDeps,
    ShelfDeps,
    SkillsDeps,
    TakeUpDeps {
  jobs: JobStore;
  now: () => number;
}

/** An agent that can begin, or go on. */
export interface Begun {
  status: "begun";
  command: Command;
  transcript: Transcript;
  models: JobModels;
  /** What stays the same in every round of the conversation. */
  talk: Omit<Talk, "model" | "caps" | "resumed">;
}

/**
 * Opens the workspace of a job and tells its agent what it is about, or brings both back after a restart; or
 * says why it cannot begin.
 */
export async function begin(
  attempt: Attempt,
  deps: BeginDeps,
  signal: AbortSignal,
): Promise<Begun | { status: "failed"; reason: string }> {
  const { job } = attempt;
  const transcript = transcriptOf(await deps.jobs.events(job.id));
  await deps.github.readGit(job.repo, (token) =>
    deps.workspaces.fetch(job.repo, [job.baseSha], token),
  );
  const catalogue = await skillsOf(job, deps, signal);
  const first = firstSkill(job, catalogue);
  if (transcript.messages.length === 0 && first.kind === "refused")
    return { status: "failed", reason: first.reason };
  // As if all attempts were one: what earlier ones worked counts.
  const startedAt = Math.round(performance.now()) - (job.spend.workedMs ?? 0);
  await attempt.move("running", {
    startedAt: job.startedAt ?? deps.now(),
    lastAction: "preparing",
  });
  const { messages, seen, started } = transcript;
  let workspace: Talk["workspace"];
  if (messages.length > 0) {
    workspace = await reopen(attempt, transcript, deps, signal);
    await bringBack(job, catalogue, deps);
  } else {
    const { id: jobId, repo, baseSha: sha, fence } = job;
    workspace = await deps.workspaces.open({ jobId, repo, sha, fence, resume: null });
    await attempt.write({}, [{ type: "opened", sha, fence }]);
    const failed = await prepare(workspace, attempt, deps, signal);
    if (failed !== null) return { status: "failed", reason: failed };
    const told = await briefing(job, deps, await tellSkills(attempt, first, catalogue, deps));
    messages.push(...told.messages);
    const threads = told.threads.length > 0 ? { threads: told.threads } : {};
    await attempt.write({ sources: told.sources, ...threads }, told.events);
  }
  const stands = transcript.commit === undefined ? job.baseSha : transcript.commit;
  const command = await commandOf(job, deps);
  const models = jobModels(attempt, command, transcript, deps);
  return {
    ...{ status: "begun", command, transcript, models },
    talk: {
      ...{ editTool: models.editTool, workspace, messages, seen, started, startedAt },
      keep: createKeeper(attempt, workspace, stands, deps),
      ...skillChooser(attempt, catalogue, deps),
    },
  };
}

async function commandOf(job: Job, deps: BeginDeps): Promise<Command> {
  const command = await deps.commands.command(job.commandId);
  if (!command) throw new Error(`job ${job.id} has no command`);
  return command;
}
