import type { Evidence, JobState } from "./job.ts";
import type { ChatMessage, TokenUsage } from "./model.ts";
import type { SkillPin } from "./skill.ts";

/** Everything that happens to a job, in order; the board, the transcript and a restart read the same rows. */
export type JobEvent =
  | { type: "state"; from: JobState; to: JobState; reason: string }
  /** A fresh workspace, opened by the claim `fence`: the conversation starts anew here. */
  | { type: "opened"; sha: string; fence?: number }
  /**
   * A workspace made anew from the files that were kept: the conversation goes on. `commit`: what they
   * are; `lost`: whether later calls had changed them; `setup`: how the setup failed this time.
   */
  | { type: "restored"; fence: number; commit: string; lost: boolean; setup: string | null }
  /** The work went back to the agent, with why; `failedChecks`: because checks failed. */
  | { type: "round"; reason: string; failedChecks?: true }
  /** A message the controller put into the conversation (instructions, task, failed checks). */
  | { type: "message"; message: ChatMessage }
  | {
      type: "reply";
      step: number;
      message: ChatMessage;
      usage: TokenUsage;
      /** Who gave it, as `provider/model`; absent in events of earlier versions, and when nobody counted. */
      origin?: string;
      latencyMs: number;
      /** It ended at the output limit. */
      truncated?: true;
      /** The model or its host declined. */
      refused?: true;
    }
  /**
   * From here on the model is shown less of the conversation: messages before `upTo` shortened, replies
   * before `leftOut` and their results not at all, both counted from the last `opened`. `tokens` are estimates.
   */
  | { type: "compacted"; upTo: number; leftOut: number; tokens: { before: number; after: number } }
  /** Written before a tool acts, so that a restart knows it may have acted. */
  | { type: "tool_started"; step: number; callId: string; tool: string }
  | {
      type: "tool_finished";
      step: number;
      callId: string;
      message: ChatMessage;
      /** It could not do what it was meant to. */
      failed?: true;
      /** Nobody knows what it did: the process died meanwhile. */
      interrupted?: true;
      /** The commit that keeps the files as they were then; null when they could not be kept. */
      commit?: string | null;
      /** Hosts that the call asked for and was refused, if any. */
      deniedHosts?: string[];
    }
  | { type: "evidence"; evidence: Evidence }
  /** What people cannot see was taken out of a text before the model read it. */
  | { type: "stripped"; where: string; what: string[] }
  /** The job took up a skill: from here on its pin holds. */
  | { type: "skill"; pin: SkillPin }
  | { type: "note"; text: string };

/** What is only written when the work got on. */
export const GETS_ON: ReadonlySet<JobEvent["type"]> = new Set([
  "reply",
  "tool_finished",
  "evidence",
]);

/** Whether an event tells of a step that came to its end: a job that ends its process each time writes none. */
export function finishesStep(event: JobEvent): boolean {
  if (event.type === "tool_finished") return event.interrupted !== true;
  return event.type === "evidence" || (event.type === "state" && event.to === "publishing");
}
