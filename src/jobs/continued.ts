import type { ParsedTask } from "../core/command.ts";
import { isTerminal, type Job } from "../core/job.ts";
import { shortId } from "../core/plan.ts";
import type { CommandStore } from "../core/ports.ts";

/** A task with the work it goes on with, or why it cannot: a sentence without its full stop. */
export type Continued = { ok: true; task: ParsedTask } | { ok: false; problem: string };

const GO_ON = "Go on with what the earlier task left undone.";

/**
 * Makes a whole task of `/codex continue`. On a pull request of ours it goes on with that; on an issue it
 * begins anew with a job that ended without a pull request, the last one unless its digits are given.
 */
export async function continued(
  task: ParsedTask,
  at: { repoId: number; issue: number; isPull: boolean; ours: Job | null },
  commands: CommandStore,
): Promise<Continued> {
  const { continues } = task;
  if (continues === undefined) return { ok: true, task };
  if (at.isPull) {
    if (at.ours !== null) return { ok: true, task: { ...task, text: task.text || GO_ON } };
    return refused(
      "there is nothing of Draftsmith's to continue on this pull request; write what is to be done",
    );
  }
  const asked = await commands.askedAt(at.repoId, at.issue);
  const job = asked.findLast(
    (each) => continues.job === null || shortId(each.id) === continues.job,
  );
  if (job === undefined) {
    return refused(
      continues.job === null
        ? "nothing was asked for here that could be continued; write what is to be done"
        : `there is no job \`${continues.job}\` here; its 8 digits stand on the board`,
    );
  }
  const name = `job \`${shortId(job.id)}\``;
  if (!isTerminal(job.state)) return refused(`${name} is still at work`);
  if (job.publication !== null) {
    return refused(
      `${name} has a pull request; write \`/codex continue\` on #${job.publication.pull}`,
    );
  }
  const flags = { ...(job.skill !== null && { skill: job.skill }), ...task.flags };
  const text = [job.task, task.text].filter(Boolean).join("\n\n");
  return { ok: true, task: { ...task, text, flags } };
}

function refused(problem: string): Continued {
  return { ok: false, problem };
}
