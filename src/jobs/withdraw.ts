import type { RepoRef } from "../core/job.ts";
import type { Account } from "../core/policy.ts";
import type { CommandStore, Delivery, IntakeStore, StopStore } from "../core/ports.ts";
import { refreshBoard } from "./board.ts";
import type { Outbox } from "./outbox.ts";

export interface WithdrawDeps {
  intake: IntakeStore;
  commands: CommandStore;
  stops: StopStore;
  outbox: Outbox;
}

/**
 * Takes back what a comment asked for, now that it is deleted: what did not begin never will, whichever
 * of the two webhooks comes first. What began goes on; `/codex stop` ends it.
 */
export async function withdraw(
  comment: { repo: RepoRef; issue: number; commentId: number; by: Account | null },
  delivery: Delivery,
  { intake, commands, stops, outbox }: WithdrawDeps,
): Promise<void> {
  const { repo, issue, by } = comment;
  const key = `${repo.id}/${comment.commentId}`;
  const commandId = await intake.bury({ key, repo, issue });
  if (commandId !== null) {
    const jobs = await commands.jobsOf(commandId);
    const waiting = jobs.filter((job) => job.state === "queued" && job.startedAt === null);
    const ids = waiting.map((job) => job.id);
    if (ids.length > 0) await stops.stop(ids, { id: by?.id ?? 0, login: by?.login ?? "ghost" });
    await refreshBoard({ outbox }, commandId);
  }
  // Last: until then it may be delivered again.
  await intake.saw(delivery);
}
