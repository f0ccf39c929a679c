import type { JobEvent } from "../core/event.ts";
import type { ChatMessage } from "../core/model.ts";

/** Where the conversation of a job stands, read from its events. */
export interface Transcript {
  /** Byte for byte what the model saw. */
  messages: ChatMessage[];
  /** Tool calls that began and never ended: nobody knows what they did. */
  started: Set<string>;
  /** Times the work went back to the agent. */
  rounds: number;
}

/** The conversation since the present workspace was opened. */
export function transcriptOf(events: JobEvent[]): Transcript {
  const from = events.findLastIndex((event) => event.type === "opened");
  const transcript: Transcript = { messages: [], started: new Set(), rounds: 0 };
  for (const event of events.slice(from + 1)) {
    switch (event.type) {
      case "message":
      case "reply":
        transcript.messages.push(event.message);
        break;
      case "tool_started":
        transcript.started.add(event.callId);
        break;
      case "tool_finished":
        transcript.started.delete(event.callId);
        transcript.messages.push(event.message);
        break;
      case "round":
        transcript.rounds++;
        break;
      default:
        break;
    }
  }
  return transcript;
}
