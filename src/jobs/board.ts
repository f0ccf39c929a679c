import { type Command, isTerminal, type Job } from "../core/job.ts";
import { boardMarker, renderBoard } from "../core/messages/board.ts";
import type { KeyedAct } from "../core/ports.ts";
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
      since: command.askedAt,
      ...(jobs.every((job) => isTerminal(job.state)) && { last: true as const }),
    },
  };
}

/** Shows the present state of a command's jobs; the outbox sends the newest state, not every one. */
export function refreshBoard({ outbox }: { outbox: Outbox }, commandId: string): Promise<void> {
  return outbox.tell(commandId, (command, jobs) => ({
    keyed: boardAct(command, jobs),
    last: jobs.every((job) => isTerminal(job.state)),
  }));
}
