import { type Command, isTerminal, type Job } from "../core/job.ts";
import { createLock } from "../core/lock.ts";
import { boardMarker, renderBoard } from "../core/messages/board.ts";
import type { CommandStore, KeyedAct } from "../core/ports.ts";
import type { Outbox } from "./outbox.ts";

/** The act that brings the board of a command to its present state. */
export function boardAct(command: Command, jobs: Job[]): KeyedAct {
  return {
    key: `board:${command.id}`,
    lane: `board:${command.id}`,
    act: {
      kind: "comment",
      repo: command.repo,
      issue: command.issue,
      marker: boardMarker(command.id),
      body: renderBoard(command, jobs),
      since: command.commentedAt,
    },
  };
}

/** Reading the rows and storing the text go together: of two refreshes the later has the newer rows. */
const lock = createLock();

/** Shows the present state of a command's jobs; the outbox sends the newest state, not every one. */
export function refreshBoard(
  deps: { commands: CommandStore; outbox: Outbox },
  commandId: string,
): Promise<void> {
  return lock(commandId, async () => {
    const command = await deps.commands.command(commandId);
    if (!command) return;
    const jobs = await deps.commands.jobsOf(commandId);
    const last = jobs.every((job) => isTerminal(job.state));
    await deps.outbox.put(boardAct(command, jobs), { last });
  });
}
