import type { ToolCall } from "../core/model.ts";
import { sameAgain } from "./notices.ts";
import type { ToolAnswer } from "./tools/tool.ts";

/** Equal calls with equal results in a row after which the model is told, and then stopped. */
const TELL_REPEATS = 4;
const MAX_REPEATS = 8;
/** Calls in a row that did not do what they were meant to. */
const MAX_FAILURES = 10;

/** Looks at every call and its answer, in order. */
export interface Watch {
  /** The answer as the model gets it: with a notice when it has seen the same several times. */
  see(call: ToolCall, answer: ToolAnswer): ToolAnswer;
  /** Why the agent is to be stopped; null while it makes headway. */
  stuck(): string | null;
}

/** Notices when a model goes round in circles, or only makes calls that fail. */
export function createWatch(): Watch {
  let last = "";
  let repeats = 0;
  let failures = 0;
  return {
    see(call, answer) {
      // Durations and counters change from run to run without anything new in them.
      const seen = JSON.stringify([call.name, call.arguments, answer.text.replace(/\d+/g, "#")]);
      repeats = seen === last ? repeats + 1 : 1;
      failures = answer.ok ? 0 : failures + 1;
      last = seen;
      if (repeats < TELL_REPEATS) return answer;
      return { ...answer, text: answer.text + sameAgain(repeats) };
    },
    stuck() {
      if (repeats >= MAX_REPEATS) return `stopped after the same call ${repeats} times in a row`;
      return failures >= MAX_FAILURES ? `stopped after ${failures} failed calls in a row` : null;
    },
  };
}
