import { isTerminal, type RepoRef } from "../core/job.ts";
import type { Account } from "../core/policy.ts";
import type { CommandStore, Delivery, IntakeStore, StopStore } from "../core/ports.ts";
import { refreshBoards } from "./board.ts";
import type { Outbox } from "./outbox.ts";

export interface WithdrawDeps {
  intake: IntakeStore;
  commands: CommandStore;
  stops: StopStore;
  outbox: Outbox;
}

/**
 * Ends what a comment asked for, now that it is deleted: what did not begin never will, whichever of the
 * two webhooks comes first, and what is under way ends as `/codex stop` ends it.
 */
export async function withdraw(
  comment: { repo: RepoRef; issue: number; key: string; by: Account | null },
  delivery: Delivery,
  { intake, commands, stops, outbox }: WithdrawDeps,
): Promise<void> {
  const { key, repo, issue, by } = comment;
  const commandId = await intake.bury({ key, repo, issue });
  if (commandId !== null) {
    const jobs = await commands.jobsOf(commandId);
    const ids = jobs.filter((job) => !isTerminal(job.state)).map((job) => job.id);
    const { id = 0, login = "ghost" } = by ?? {};
    if (ids.length > 0) await stops.stop(ids, { id, login, how: "deleted" });
    await refreshBoards({ outbox }, commandId);
  }
  // Last: until then it may be delivered again.
  await intake.saw(delivery);
}
