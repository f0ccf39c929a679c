import type { Seen } from "../agents/context/context.ts";
import { broughtBack } from "../agents/notices.ts";
import type { Resumed } from "../agents/resume.ts";
import type { JobEvent } from "../core/event.ts";
import type { ChatMessage, TokenUsage } from "../core/model.ts";

/** Where the conversation of a job stands, read from its events. */
export interface Transcript extends Resumed {
  /** All that was said, byte for byte. */
  messages: ChatMessage[];
  /** How much of it the model was shown last. */
  seen: Seen;
  /** Who counted the tokens of a prompt last, how many messages it had, and what it counted. */
  counted: { origin: string; messages: number; usage: TokenUsage } | null;
  /** Tool calls that began and never ended: nobody knows what they did. */
  started: Set<string>;
  /** Times the work went back to the agent, and how many of them because checks failed. */
  rounds: number;
  failedChecks: number;
  failed: Set<ChatMessage>;
  /** The claim that opened the present workspace; 0 when the events do not say. */
  fence: number;
  /**
   * The commit that keeps the files as the conversation knows them: undefined before the first call, null
   * when they could not be kept.
   */
  commit: string | null | undefined;
}

/** The conversation since the last fresh workspace was opened. */
export function transcriptOf(events: JobEvent[]): Transcript {
  const from = events.findLastIndex((event) => event.type === "opened");
  const opened = events[from];
  const transcript: Transcript = {
    messages: [],
    seen: { compaction: null, measured: null },
    counted: null,
    started: new Set(),
    rounds: 0,
    failedChecks: 0,
    failed: new Set(),
    fence: (opened?.type === "opened" && opened.fence) || 0,
    commit: undefined,
    truncated: false,
    refused: false,
    notice: null,
  };
  for (const event of events.slice(from + 1)) follow(transcript, event);
  return transcript;
}

function follow(transcript: Transcript, event: JobEvent): void {
  switch (event.type) {
    case "message":
      if (event.message.content === transcript.notice) transcript.notice = null;
      transcript.messages.push(event.message);
      break;
    case "reply":
      transcript.truncated = event.truncated ?? false;
      transcript.refused = event.refused ?? false;
      transcript.counted = countedBy(event, transcript.messages.length);
      transcript.messages.push(event.message);
      transcript.seen.measured = {
        messages: transcript.messages.length,
        tokens: event.usage.inputTokens + event.usage.outputTokens,
      };
      break;
    case "compacted":
      transcript.seen.compaction = { upTo: event.upTo, leftOut: event.leftOut };
      transcript.seen.measured = {
        messages: transcript.messages.length,
        tokens: event.tokens.after,
      };
      break;
    case "tool_started":
      transcript.started.add(event.callId);
      break;
    case "tool_finished":
      transcript.started.delete(event.callId);
      transcript.commit = event.commit ?? null;
      if (event.failed) transcript.failed.add(event.message);
      transcript.messages.push(event.message);
      break;
    case "restored":
      transcript.fence = event.fence;
      transcript.commit = event.commit;
      transcript.notice = broughtBack(event);
      break;
    case "round":
      transcript.rounds++;
      if (event.failedChecks) transcript.failedChecks++;
      break;
    default:
      break;
  }
}

function countedBy(
  { origin, usage }: Extract<JobEvent, { type: "reply" }>,
  messages: number,
): Transcript["counted"] {
  return origin === undefined ? null : { origin, messages, usage };
}
