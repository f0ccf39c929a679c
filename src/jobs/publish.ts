import { jobLane } from "../core/act.ts";
import { UserError } from "../core/errors.ts";
import type { Command, Job, Publication, VerifiedChange } from "../core/job.ts";
import { renderPull } from "../core/messages/pull.ts";
import type { CommandStore, Objects, Workspaces } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import type { Outbox } from "./outbox.ts";
import { type RecheckDeps, recheck } from "./recheck.ts";

/** How often a follow-up is carried over to a branch that moved meanwhile. */
const MAX_CARRIES = 3;

export interface PublishDeps extends RecheckDeps {
  commands: CommandStore;
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
  await recheck(job, command, deps);
  try {
    return job.target.kind === "new_pull"
      ? await openPull(command, attempt, change, deps)
      : await followUp(attempt, job.target.pull, change, deps, verifyAgain);
  } catch (thrown) {
    // What will not be tried again needs its private ref no more.
    if (thrown instanceof UserError) await dropPrivateRef(job, deps.outbox);
    throw thrown;
  }
}

async function openPull(
  command: Command,
  { job }: Attempt,
  change: VerifiedChange,
  { outbox }: PublishDeps,
): Promise<Publication> {
  const headSha = await putCommit(job, change, outbox);
  await putBranch(job, headSha, null, outbox);
  const pull = await outbox
    .perform<"pull">(`pull:${job.id}`, lane(job), {
      kind: "pull",
      repo: job.repo,
      head: job.target.branch,
      base: job.target.base,
      title: change.title,
      body: renderPull({ command, job, change, headSha, neighbours: [] }),
      draft: job.target.kind === "new_pull" && job.target.draft,
    })
    .catch((thrown) => {
      if (!(thrown instanceof UserError)) throw thrown;
      throw new UserError(
        `${thrown.message} The change stands on the branch ${job.target.branch}.`,
      );
    });
  await dropPrivateRef(job, outbox);
  return { pull: pull.number, url: pull.url, headSha, draft: pull.draft };
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
    const headSha = await putCommit(job, carried, deps.outbox);
    const branch = await putBranch(job, headSha, carried.parent, deps.outbox);
    if (branch.status === "done") return headSha;
    if (carries === MAX_CARRIES) {
      throw new UserError(
        `the branch ${job.target.branch} keeps moving; write the command again when it rests`,
      );
    }
    const parent = branch.sha;
    await deps.github.readGit(job.repo, (token) =>
      deps.workspaces.fetch(job.repo, [parent], token),
    );
    const merged = await deps.objects.merge(job.repo, parent, change.commit);
    if ("conflicts" in merged) {
      throw new UserError(
        `the branch ${job.target.branch} moved while the agent worked, and the change conflicts with it on ${merged.conflicts.join(", ")}; write the command again`,
      );
    }
    const moved = await deps.objects.commit(job.repo, merged.tree, parent, change.message);
    // The branch holds the change already: ours from before a restart, or somebody made the same.
    if (moved.files.length === 0) return parent;
    carried = {
      ...change,
      commit: moved.commit,
      parent,
      tree: merged.tree,
      files: moved.files,
      evidence: await verifyAgain(moved.commit),
    };
    await attempt.write({ change: carried });
  }
}

/** The commit on GitHub: made by its API where that exists, else the pushed one. */
async function putCommit(job: Job, change: VerifiedChange, outbox: Outbox): Promise<string> {
  await outbox.perform<"push">(`push:${job.id}:${change.commit}`, lane(job), {
    kind: "push",
    repo: job.repo,
    commit: change.commit,
    ref: privateRef(job),
  });
  const made = await outbox.perform<"commit">(`commit:${job.id}:${change.commit}`, lane(job), {
    kind: "commit",
    repo: job.repo,
    tree: change.tree,
    parents: [change.parent],
    message: change.message,
  });
  return made?.sha ?? change.commit;
}

async function putBranch(job: Job, sha: string, from: string | null, outbox: Outbox) {
  const { branch } = job.target;
  const put = await outbox.perform<"branch">(`branch:${job.id}:${sha}`, lane(job), {
    kind: "branch",
    repo: job.repo,
    branch,
    sha,
    from,
  });
  if (put.status === "moved" && from === null) {
    throw new UserError(
      `the branch ${branch} exists already at ${put.sha.slice(0, 12)} and was left alone`,
    );
  }
  return put;
}

async function dropPrivateRef(job: Job, outbox: Outbox): Promise<void> {
  // Nothing waits for it: a leftover private ref is invisible and harms nobody.
  await outbox.put({
    key: `delete-ref:${job.id}`,
    lane: lane(job),
    act: { kind: "delete_ref", repo: job.repo, ref: privateRef(job) },
  });
}

/** Outside refs/heads, so that it triggers no workflow and shows in no list of branches. */
function privateRef(job: Job): string {
  return `refs/draftsmith/${job.id}`;
}

function lane(job: Job): string {
  return jobLane(job.id);
}
