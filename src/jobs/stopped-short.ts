import type { AgentOutcome } from "../agents/outcome.ts";
import type { Ending, JobState } from "../core/job.ts";
import { capWords } from "../core/messages/budget.ts";
import { said } from "./words-of.ts";

/** How is told of an agent that did not finish. */
export interface Short {
  /** After "because"; one line. */
  why: string;
  ending: Ending | null;
  /** How the job ends where nothing was changed. */
  unchanged: { state: JobState; reason: string };
}

/** Characters of what a model or its server says that a draft begins with. */
const MAX_WHY = 500;

/** Why an agent was stopped, after "because". */
const LIMIT = {
  steps: "the limit of steps was reached",
  minutes: "the time limit was reached",
  tokens: "the limit of tokens was reached",
  context:
    "the conversation no longer fits the context window of its models (a model with a larger one helps; context_window in draftsmith.yml says how large one is)",
  loop: "it repeated itself or only made calls that failed",
  length:
    "reply after reply was cut off at the output limit (a larger max_output of the model in draftsmith.yml helps, or another model)",
} as const;

const FAILED = {
  refusal: "the model's server refused",
  silence: "the model did not answer",
} as const;

/** What there is to tell of an agent that did not end by its own word; null when it finished. */
export function stoppedShort(outcome: AgentOutcome): Short | null {
  switch (outcome.status) {
    case "finished":
      return null;
    case "refused": {
      const refusal = said(outcome.refusal);
      return {
        why: line(`the model declined to go on: ${refusal}`),
        ending: { kind: "declined" },
        unchanged: { state: "no_change", reason: `the model declined: ${refusal}` },
      };
    }
    case "silent":
      return modelFailed("the model answered nothing, several times in a row");
    case "failed":
      return modelFailed(outcome.reason, `${FAILED[outcome.by]}: ${outcome.reason}`);
    case "limit": {
      const why = line(limitWords(outcome));
      const ending: Ending | null =
        outcome.which === "budget" ? { kind: "cap", by: outcome.why } : null;
      const reason = `stopped because ${why}, before anything was changed`;
      return { why, ending, unchanged: { state: "over_budget", reason } };
    }
  }
}

function modelFailed(reason: string, why = reason): Short {
  const ending: Ending = { kind: "model_failed" };
  return { why: line(why), ending, unchanged: { state: "failed", reason } };
}

function limitWords(outcome: Extract<AgentOutcome, { status: "limit" }>): string {
  switch (outcome.which) {
    case "budget":
      return capWords(outcome.why);
    case "room":
    case "unanswered":
      return outcome.why;
    default:
      return LIMIT[outcome.which];
  }
}

function line(text: string): string {
  const words = text.replace(/\s+/g, " ").trim();
  return words.length > MAX_WHY ? `${words.slice(0, MAX_WHY)}…` : words;
}
