import { TransientError, toError, UserError } from "../core/errors.ts";
import { branchOf, type Publication } from "../core/job.ts";
import type { GitHub, Log } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import type { Outbox } from "./outbox.ts";
import { dropPrivateRef, turn } from "./put-change.ts";

export interface CancelDeps {
  github: Pick<GitHub, "branchSha">;
  outbox: Outbox;
  now: () => number;
  log: Log;
}

/**
 * Ends a job that somebody stopped. What GitHub did of it already stands, and is said; the rest is not
 * done.
 */
export async function cancel(attempt: Attempt, reason: string, deps: CancelDeps): Promise<void> {
  const { job } = attempt;
  const left =
    job.change !== null && job.state === "publishing"
      ? await leftovers(attempt, deps)
      : { words: "", publication: null };
  await attempt.move("cancelled", {
    reason: `${reason}${left.words}`,
    lastAction: "",
    endedAt: deps.now(),
    ...(left.publication && { publication: left.publication }),
  });
  if (job.change !== null) await dropPrivateRef(job, deps.outbox);
}

/** What stands on GitHub of a job that was stopped while it was published: as a clause, and its pull request. */
async function leftovers(
  { job }: Attempt,
  { github, outbox, log }: CancelDeps,
): Promise<{ words: string; publication: Publication | null }> {
  const { target, repo, change } = job;
  const branch = branchOf(target);
  let stands: string | null;
  try {
    stands = await github.branchSha(repo, branch);
  } catch (thrown) {
    const error = toError(thrown);
    if (!(error instanceof UserError || error instanceof TransientError)) throw error;
    log.warn({ err: error, jobId: job.id }, "what stands of a stopped job could not be read");
    return {
      words: `; GitHub did not say what stands of it: look at the branch ${branch}`,
      publication: null,
    };
  }
  if (stands === null) return { words: "", publication: null };
  if (target.kind === "follow_up") {
    const made = await outbox.valueOf<"commit">(`commit:${turn(job)}:${change?.commit}`);
    const ours = stands === (made?.sha ?? change?.commit);
    return {
      words: ours ? `; its commit stands on the branch ${branch} already` : "",
      publication: null,
    };
  }
  const pull = await outbox.valueOf<"pull">(`pull:${turn(job)}`);
  if (pull === null) {
    return {
      words: `; the branch ${branch} stands already, without a pull request of ours`,
      publication: null,
    };
  }
  return {
    words: "; the pull request stands already",
    publication: { pull: pull.number, url: pull.url, headSha: stands, draft: pull.draft },
  };
}
