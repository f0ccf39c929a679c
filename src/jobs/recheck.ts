import { TransientError, UserError } from "../core/errors.ts";
import type { Command, Job } from "../core/job.ts";
import { type GateFacts, gate, type Verdict } from "../core/policy.ts";
import type { CommandStore } from "../core/ports.ts";
import { type GateDeps, readStanding, serverFacts, surveyPlace } from "./gate.ts";

/** How soon a job looks again whether the operator lets it go on. */
const PAUSE_LOOK_MS = 5000;

/** What it takes to ask the gate once more. */
export type RecheckDeps = GateDeps & { commands: CommandStore; now: () => number };

/**
 * The second look, before more is spent on a job and before anything leaves: who asked must still be
 * allowed to, and who let a held change out must still be an admin. Throws UserError when it may not go
 * on, TransientError when not now.
 */
export async function recheck(job: Job, deps: RecheckDeps): Promise<void> {
  const command = await deps.commands.command(job.commandId);
  if (!command) throw new Error(`job ${job.id} has no command`);
  const server = { ...(await serverFacts(job.repo, deps)), heard: 0 };
  const known: GateFacts[] = [];
  for (const { actor, needs } of peopleBehind(job, command)) {
    const said = { by: "earlier", login: actor.login } as const;
    const facts: GateFacts = { asked: { kind: "publish", needs }, said, server };
    insist(facts, null, deps);
    const { standing, failure } = await readStanding(job.repo, actor, deps);
    insist({ ...facts, standing }, failure, deps);
    known.push({ ...facts, standing });
  }
  const pull = job.target.kind === "follow_up" ? job.target.pull : null;
  const { place, failure } = await surveyPlace(job.repo, pull, deps);
  for (const facts of known) {
    const verdict = insist({ ...facts, place }, failure, deps);
    if (verdict.status !== "admitted") throw new Error(`the gate does not admit job ${job.id}`);
  }
}

/** Whose word the work rests on, and how much that must be worth. */
function peopleBehind(job: Job, command: Command) {
  const asked = { actor: command.actor, needs: "write" } as const;
  return job.allowance ? [asked, { ...job.allowance, needs: "admin" } as const] : [asked];
}

/** The gate's word on what is known so far, thrown when it refuses; `failure`: why not more is known. */
function insist(facts: GateFacts, failure: Error | null, { now }: RecheckDeps): Verdict {
  const verdict = gate(facts);
  if (verdict.status !== "refused") return verdict;
  if (failure instanceof UserError || failure instanceof TransientError) throw failure;
  if (!verdict.passing) throw new UserError(verdict.reason);
  // Nobody knows how long a pause lasts; what else passes is tried again with growing waits.
  const wait = verdict.rule === "paused" ? { retryAt: now() + PAUSE_LOOK_MS } : {};
  throw new TransientError(verdict.reason, wait);
}
