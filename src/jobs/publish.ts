import type { ActOf } from "../core/act.ts";
import { UserError } from "../core/errors.ts";
import {
  branchOf,
  type Command,
  type FileChange,
  type Job,
  type Publication,
  type VerifiedChange,
} from "../core/job.ts";
import { heldReason } from "../core/messages/held.ts";
import { renderCheckRun, renderPull } from "../core/messages/pull.ts";
import type { ChangedFile, CommandStore, JobStore, Objects, Workspaces } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type BringDeps, bringChange, packChange } from "./bring-change.ts";
import { followRename, type RenameDeps } from "./follow-rename.ts";
import { type InspectDeps, inspect } from "./inspect.ts";
import type { Outbox } from "./outbox.ts";
import { dropPrivateRef, lane, putBranch, putCommit, putNewBranch, turn } from "./put-change.ts";
import { type RecheckDeps, recheck } from "./recheck.ts";

/** How often a follow-up is carried over to a branch that moved meanwhile. */
const MAX_CARRIES = 3;

export interface PublishDeps extends RecheckDeps, RenameDeps, InspectDeps, BringDeps {
  commands: CommandStore;
  jobs: JobStore;
  outbox: Outbox;
  workspaces: Workspaces;
  objects: Objects;
}

/**
 * Puts a verified change on GitHub: tree by git under a private ref, commit through the Git data API
 * (so that GitHub signs it), branch, draft pull request. Each act is recorded, so that a restart goes
 * on after the last one. Throws UserError when GitHub or the branch does not allow it.
 */
export async function publish(
  attempt: Attempt,
  change: VerifiedChange,
  deps: PublishDeps,
  verifyAgain: (commit: string) => Promise<VerifiedChange["evidence"]>,
): Promise<Publication> {
  const { job } = attempt;
  const command = await commandOf(job, deps);
  if (change.violations.length > 0 && job.allowance?.commit !== change.commit) {
    throw new UserError(heldReason(change.violations));
  }
  await followRename(attempt, deps);
  await recheck(job, deps);
  // Once it stands nothing of it is sent any more, and its commit need not be here.
  const opened = await deps.outbox.valueOf<"pull">(pullKey(job));
  if (opened === null && (await bringChange(job, change, deps)) === null) {
    throw new UserError("the change is lost with the server that made it; write the task again");
  }
  try {
    return job.target.kind === "follow_up"
      ? await followUp(attempt, job.target.pull, change, deps, verifyAgain)
      : await openPull(command, attempt, change, deps);
  } catch (thrown) {
    // What will not be tried again needs its private ref no more.
    if (thrown instanceof UserError) await dropPrivateRef(job, deps.outbox);
    throw thrown;
  }
}

async function openPull(
  command: Command,
  attempt: Attempt,
  change: VerifiedChange,
  { jobs, outbox }: PublishDeps,
): Promise<Publication> {
  const { job, holder } = attempt;
  const sha = await putCommit(attempt, change, outbox);
  const earlier = change.made ?? [];
  if (!earlier.some((made) => made.sha === sha)) {
    await attempt.write({ change: { ...change, made: [...earlier, { sha }] } });
  }
  const headSha = await putNewBranch(attempt, change, sha, outbox);
  // As the ledger has it by now: the job in hand is as it was claimed.
  const spend = (await jobs.job(job.id))?.spend ?? job.spend;
  const act: ActOf<"pull"> = {
    kind: "pull",
    repo: job.repo,
    head: branchOf(job.target),
    base: job.target.base,
    title: change.title,
    body: renderPull({ command, job: { ...job, spend }, change, headSha, neighbours: [] }),
    draft: job.target.kind === "new_pull" && job.target.draft,
  };
  const pull = await outbox
    .perform<"pull">(pullKey(job), lane(job), act, holder)
    .catch((thrown) => {
      if (!(thrown instanceof UserError)) throw thrown;
      throw new UserError(
        `${thrown.message} The change stands on the branch ${branchOf(job.target)}.`,
      );
    });
  await sayChecked(job, change, headSha, pull.url, outbox);
  await dropPrivateRef(job, outbox);
  return { pull: pull.number, url: pull.url, headSha, draft: pull.draft };
}

function pullKey(job: Job): string {
  return `pull:${turn(job)}`;
}

/** Asks for the check run of a published commit; nothing waits for it, and nothing fails with it. */
async function sayChecked(
  job: Job,
  change: VerifiedChange,
  sha: string,
  url: string,
  outbox: Outbox,
): Promise<void> {
  const said = renderCheckRun(job, change, sha);
  await outbox.put({
    key: `check-run:${job.id}:${sha}`,
    lane: lane(job),
    act: { kind: "check_run", repo: job.repo, sha, jobId: job.id, url, ...said },
  });
}

async function followUp(
  attempt: Attempt,
  number: number,
  change: VerifiedChange,
  deps: PublishDeps,
  verifyAgain: (commit: string) => Promise<VerifiedChange["evidence"]>,
): Promise<Publication> {
  const { job } = attempt;
  const pull = await deps.github.pull(job.repo, number);
  if (pull.state !== "open") {
    throw new UserError("the pull request was closed meanwhile, so nothing was added to it");
  }
  const headSha = await addCommit(attempt, change, deps, verifyAgain);
  await sayChecked(job, job.change ?? change, headSha, pull.url, deps.outbox);
  await dropPrivateRef(job, deps.outbox);
  return { pull: number, url: pull.url, headSha, draft: false };
}

async function commandOf(job: Job, deps: PublishDeps): Promise<Command> {
  const command = await deps.commands.command(job.commandId);
  if (!command) throw new Error(`job ${job.id} has no command`);
  return command;
}

/** Adds the change to its branch; when others pushed meanwhile, carries it over and checks it again. */
async function addCommit(
  attempt: Attempt,
  change: VerifiedChange,
  deps: PublishDeps,
  verifyAgain: (commit: string) => Promise<VerifiedChange["evidence"]>,
): Promise<string> {
  const { job } = attempt;
  let carried = change;
  for (let carries = 0; ; carries++) {
    // Carrying it over and checking it again may have taken a while.
    if (carries > 0) await recheck(job, deps);
    const headSha = await putCommit(attempt, carried, deps.outbox);
    const branch = await putBranch(attempt, carried, headSha, carried.parent, deps.outbox);
    if (branch.status === "done") return headSha;
    if (carries === MAX_CARRIES) {
      throw new UserError(
        `the branch ${branchOf(job.target)} keeps moving; write the command again when it rests`,
      );
    }
    const parent = branch.sha;
    await deps.github.readGit(job.repo, (token) =>
      deps.workspaces.fetch(job.repo, [parent], token),
    );
    const merged = await deps.objects.merge(job.repo, parent, change.commit, change.parent);
    if ("conflicts" in merged) {
      throw new UserError(
        `the branch ${branchOf(job.target)} moved while the agent worked, and the change conflicts with it on ${merged.conflicts.join(", ")}; write the command again`,
      );
    }
    const moved = await deps.objects.commit(job.repo, merged.tree, parent, change.message);
    // The branch holds the change already: ours from before a restart, or somebody made the same.
    if (moved.files.length === 0) return parent;
    if (job.allowance !== null) {
      throw new UserError(
        `the branch ${branchOf(job.target)} moved after ${job.allowance.actor.login} allowed the change, so it would be another one; write the command again`,
      );
    }
    carried = {
      ...change,
      ...(await inspectCarried(job, change, { ...moved, parent }, deps)),
      commit: moved.commit,
      parent,
      tree: merged.tree,
      files: moved.files.map(withoutModes),
      evidence: await verifyAgain(moved.commit),
    };
    await attempt.write({ change: carried }, [], await packChange(job, carried, deps));
  }
}

/** What was carried over is another change: it is looked at like the first. */
async function inspectCarried(
  job: Job,
  change: VerifiedChange,
  moved: { commit: string; parent: string; files: ChangedFile[] },
  deps: PublishDeps,
) {
  const words = [change.title, change.summary, change.message];
  const inspection = await inspect(job, { ...moved, words }, deps);
  const { cautions, violations, excerpt } =
    inspection.status === "refused" ? refuse(inspection.reason) : inspection;
  if (violations.length > 0) refuse(heldReason(violations));
  return { cautions, violations, excerpt };

  function refuse(reason: string): never {
    throw new UserError(
      `the branch ${branchOf(job.target)} moved, and carried over to it ${reason}; write the command again`,
    );
  }
}

/** Modes were looked at; what is stored tells which lines changed. */
function withoutModes({ path, added, removed, status }: ChangedFile): FileChange {
  return { path, added, removed, status };
}
