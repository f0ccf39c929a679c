import { isTerminal, type RepoRef } from "../core/job.ts";
import type { Account } from "../core/policy.ts";
import type { Delivery } from "../core/ports.ts";
import { refreshBoards } from "./board.ts";
import type { WithdrawDeps } from "./withdraw.ts";

/** A pull request that somebody closed or merged; `at` is when, ISO 8601. */
export interface ClosedPull {
  repo: RepoRef;
  pull: number;
  by: Account | null;
  at: string;
  /** When it was merged, ISO 8601; null when it was only closed. */
  mergedAt: string | null;
}

/**
 * Ends the work on a closed pull request as `/codex stop` ends it: nothing could be added any more. What was
 * asked for after it, because it was opened again, goes on.
 */
export async function endWorkOnPull(
  { repo, pull, by, at, mergedAt }: ClosedPull,
  delivery: Delivery,
  { intake, commands, stops, outbox }: WithdrawDeps,
): Promise<void> {
  const closedAt = Date.parse(at);
  const { id = 0, login = "ghost" } = by ?? {};
  const ids: string[] = [];
  const boards = new Set<string>();
  for (const job of await stops.jobsAt(repo.id, pull, Number.MAX_SAFE_INTEGER)) {
    const { target, publication, commandId } = job;
    const adds = target.kind === "follow_up" && target.pull === pull;
    if (isTerminal(job.state) || !(adds || publication?.pull === pull)) continue;
    const command = await commands.command(commandId);
    // By GitHub's clock both: a delivery may come hours later.
    if (command === null || Date.parse(command.askedAt) > closedAt) continue;
    ids.push(job.id);
    boards.add(commandId);
  }
  if (ids.length > 0) await stops.stop(ids, { id, login, how: "closed" });
  for (const commandId of boards) await refreshBoards({ outbox }, commandId);
  const merged = Date.parse(mergedAt ?? "");
  if (!Number.isNaN(merged)) await commands.merged(repo.id, pull, merged);
  // Last: until then it may be delivered again.
  await intake.saw(delivery);
}
