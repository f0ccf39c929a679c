import { NoReply } from "../core/errors.ts";
import type { JobEvent } from "../core/event.ts";
import type { CapReached } from "../core/ledger.ts";
import type { Answer, ModelReply } from "../core/model.ts";
import { TOO_LONG_NOW } from "./notices.ts";

/** A limit that ended the work of an agent. */
type Limit =
  /**
   * `loop`: it repeated one call, or made only calls that failed. `context`: the conversation fits no model
   * of the route, however it is shortened. `length`: its replies were cut off, again and again.
   */
  | {
      status: "limit";
      which: "steps" | "minutes" | "tokens" | "loop" | "context" | "length";
    }
  /** The next call does not fit what may be spent; under which cap. */
  | { status: "limit"; which: "budget"; why: CapReached }
  /** Time ran out while it waited for room under a cap, or for a reply; why, after "because". */
  | { status: "limit"; which: "room" | "unanswered"; why: string };

/** The model cannot be asked any more, or never answers; why, as a sentence without its full stop. */
type Failed = { status: "failed"; by: "refusal" | "silence"; reason: string };

/** How an agent stopped, with its report; where it did not finish that of an earlier round, if there was one. */
export type AgentOutcome = { report: string } & (
  | { status: "finished" }
  | Limit
  | Failed
  | { status: "refused"; refusal: string }
  /** Several empty replies in a row. */
  | { status: "silent" }
);

/** What became of asking the model. */
export type Asked = { status: "said"; reply: ModelReply } | Limit | Failed;

/** The event that stores a reply. */
export function replied(
  { reply, origin }: Extract<Answer, { status: "reply" }>,
  { step, latencyMs }: { step: number; latencyMs: number },
): Extract<JobEvent, { type: "reply" }> {
  const { content, toolCalls, refusal, native } = reply;
  return {
    type: "reply",
    step,
    message: {
      role: "assistant",
      content: content || (toolCalls.length === 0 ? (refusal ?? "") : ""),
      toolCalls,
      ...(native && { native }),
    },
    usage: reply.usage,
    ...(reply.usageReported && { origin }),
    latencyMs,
    ...(reply.truncated && { truncated: true }),
    ...(refusal !== null && { refused: true }),
  };
}

/** Of a job whose time is over, or too short for the wait that is asked for; after "because". */
export function notAnswered(said: string): string {
  return `the model did not answer within the job's time limit: ${said}`;
}

/** Thrown where only a model that rests until `due` (ms since the epoch) has room for the conversation. */
export function noRoomNow(due: number): NoReply {
  return new NoReply(TOO_LONG_NOW, TOO_LONG_NOW, { retryAt: due });
}
