import type { Evidence, Job } from "../core/job.ts";
import type { Sandbox, Workspace, Workspaces } from "../core/ports.ts";
import { type SkillsDeps, skillsOf } from "./skills-of.ts";
import { bringBack, type TakeUpDeps } from "./take-up-skill.ts";

/** Output of one command before it is killed, and what of it is kept as evidence. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const KEEP_BYTES = 16 * 1024;

/** Runs commands one after another in a workspace; stops at the first that fails when told so. */
export async function runCommands(
  sandbox: Sandbox,
  workspace: Workspace,
  job: Job,
  commands: string[],
  options: { signal: AbortSignal; stopAtFailure: boolean },
): Promise<Evidence[]> {
  const evidence: Evidence[] = [];
  for (const command of commands) {
    const { exitCode, stopped, durationMs, output, deniedHosts } = await sandbox.run({
      workspace,
      script: command,
      network: job.config.network,
      timeoutMs: job.config.limits.check_minutes * 60_000,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      keepBytes: KEEP_BYTES,
      signal: options.signal,
    });
    options.signal.throwIfAborted();
    evidence.push({ command, exitCode, stopped, durationMs, output, deniedHosts });
    if (options.stopAtFailure && exitCode !== 0) break;
  }
  return evidence;
}

/**
 * Runs the checks of a repository on a clean checkout of a commit, in a fresh sandbox. A setup that
 * fails is evidence too: no check can be believed after it.
 */
export async function verify(
  deps: { workspaces: Workspaces; sandbox: Sandbox } & SkillsDeps & TakeUpDeps,
  job: Job,
  commit: string,
  signal: AbortSignal,
): Promise<Evidence[]> {
  if (job.config.checks.length === 0) return [];
  const id = `${job.id}-check`;
  const { repo, config } = job;
  try {
    const workspace = await deps.workspaces.open({
      jobId: id,
      repo,
      sha: commit,
      fence: job.fence,
      resume: null,
    });
    // A check that a skill brought may need its scripts.
    if (job.skills?.pins.some(({ manifest }) => manifest.checks.length > 0))
      await bringBack(job, await skillsOf(job, deps, signal), deps, id);
    const setup = await runCommands(deps.sandbox, workspace, job, config.setup, {
      signal,
      stopAtFailure: true,
    });
    const broken = setup.filter((step) => step.exitCode !== 0);
    if (broken.length > 0) return broken;
    return await runCommands(deps.sandbox, workspace, job, config.checks, {
      signal,
      stopAtFailure: false,
    });
  } finally {
    await deps.workspaces.close(id, repo);
  }
}
