import type { Allowance, Job, VerifiedChange } from "../core/job.ts";
import { codeSpan } from "../core/markdown.ts";
import { heldReason } from "../core/messages/held.ts";
import type { GitHub, Sandbox } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type BringDeps, bringChange } from "./bring-change.ts";
import { type InspectDeps, inspect } from "./inspect.ts";
import type { SkillsDeps } from "./skills-of.ts";
import type { TakeUpDeps } from "./take-up-skill.ts";
import { verify } from "./verify.ts";

export interface LetOutDeps extends InspectDeps, BringDeps, SkillsDeps, TakeUpDeps {
  sandbox: Sandbox;
  now: () => number;
}

/**
 * Looks once more at a change that an admin let out: it must still be there, show nothing new, and its
 * checks are run again on a clean checkout. Null when it stays held.
 */
export async function letOut(
  attempt: Attempt,
  change: VerifiedChange,
  allowance: Allowance,
  deps: LetOutDeps,
  signal: AbortSignal,
): Promise<VerifiedChange | null> {
  const { job } = attempt;
  const { commit, parent } = change;
  await attempt.move("verifying", {
    startedAt: job.startedAt ?? deps.now(),
    lastAction: `checking what ${allowance.actor.login} allowed`,
  });
  const stay = async (reason: string, held: VerifiedChange | null): Promise<null> => {
    const endedAt = deps.now();
    await attempt.move("blocked", { change: held, reason, lastAction: "", endedAt });
    return null;
  };
  if (commit !== allowance.commit) {
    return stay(
      `what ${allowance.actor.login} allowed is another change than the one held`,
      change,
    );
  }
  const moved = await movedBase(job, change, deps.github);
  if (moved !== null) return stay(moved, change);
  const files = await bringChange(job, change, deps);
  if (files === null) {
    return stay("the held change is lost with the server that made it; write the task again", null);
  }
  const words = [change.title, change.summary, change.message];
  const inspection = await inspect(job, { commit, parent, files, words }, deps);
  if (inspection.status === "refused") return stay(inspection.reason, null);
  const { cautions, violations, excerpt } = inspection;
  const seen = new Set(change.violations.map((each) => JSON.stringify(each)));
  const unseen = violations.filter((each) => !seen.has(JSON.stringify(each)));
  if (unseen.length > 0) {
    const reason = `more was found since it was allowed; look again: ${heldReason(unseen)}`;
    return stay(reason, { ...change, cautions, violations, excerpt });
  }
  const evidence = await verify(deps, job, commit, signal);
  await attempt.write(
    {},
    evidence.map((check) => ({ type: "evidence", evidence: check })),
  );
  return { ...change, cautions, evidence };
}

/** Why the change is not the one that would be merged any more; null while its base stands where it stood. */
export async function movedBase(
  job: Job,
  { parent }: VerifiedChange,
  github: GitHub,
): Promise<string | null> {
  const { target } = job;
  const branch = target.kind === "follow_up" ? target.branch : target.base;
  const stands = await github.branchSha(job.repo, branch);
  if (stands === parent) return null;
  const where = stands === null ? "is gone" : `moved to ${codeSpan(stands.slice(0, 12))}`;
  return `the branch ${codeSpan(branch)} ${where} since this change was made on ${codeSpan(parent.slice(0, 12))}, so it is no longer what would be merged; write the task again`;
}
