import type { Seen } from "../agents/context/context.ts";
import { type AgentOutcome, runAgent } from "../agents/loop.ts";
import type { Resumed } from "../agents/resume.ts";
import type { SkillAnswer } from "../agents/tools/skill.ts";
import type { JobEvent } from "../core/event.ts";
import type { Spend } from "../core/job.ts";
import type { ChatMessage, Model, RoutedModel, TokenUsage } from "../core/model.ts";
import type { Sandbox, Workspace } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import type { Kept } from "./keep-files.ts";

export interface ConverseDeps {
  sandbox: Sandbox;
  model: Model;
  /** Micro-dollars of one call; null when the model's price is unknown. */
  price: (model: string, usage: TokenUsage) => number | null;
  now: () => number;
}

/** Where a conversation stands; the agent appends to `messages`. */
export interface Talk {
  workspace: Workspace;
  messages: ChatMessage[];
  seen: Seen;
  /** Tool calls that a restart interrupted. */
  started: Set<string>;
  resumed: Resumed;
  /** Takes the files after a call. */
  keep: (wrote: boolean) => Promise<Kept>;
  /** When the time limit of the job began to run, by the monotonic clock: the other may be set meanwhile. */
  startedAt: number;
  /** Takes up a skill that the model chose; absent when there is none to choose. */
  onSkill?: (name: string) => Promise<SkillAnswer>;
}

/** Lets the agent go on from where the conversation stands; each reply is metered and stored. */
export function converse(
  attempt: Attempt,
  talk: Talk,
  deps: ConverseDeps,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  const { job } = attempt;
  const { network } = job.config;
  return runAgent({
    messages: talk.messages,
    started: talk.started,
    seen: talk.seen,
    model: routed(deps.model, job.model),
    editTool: "edit",
    sandbox: deps.sandbox,
    workspace: talk.workspace,
    network,
    // As they are at each moment: a skill that is taken up may lower them.
    limits: {
      get steps() {
        return job.config.limits.steps;
      },
      get tokens() {
        return job.config.limits.tokens;
      },
      get deadline() {
        return talk.startedAt + job.config.limits.minutes * 60_000;
      },
    },
    ...(talk.onSkill && { onSkill: talk.onSkill }),
    spent: { steps: job.spend.steps, tokens: job.spend.inputTokens + job.spend.outputTokens },
    signal,
    goOn: attempt.goOn,
    now: () => Math.round(performance.now()),
    resumed: talk.resumed,
    async record(event, lastAction, wrote = false) {
      const patch = { ...metered(attempt, event, talk, deps), ...(lastAction && { lastAction }) };
      if (event.type !== "tool_finished") return attempt.write(patch, [event]);
      // With the files as they are now: another worker can go on from here.
      const { commit, files } = await talk.keep(wrote);
      await attempt.write(patch, [{ ...event, commit }], files);
    },
    onPlan: (plan) => attempt.write({ plan }),
  });
}

/** A model whose window nobody knows, without a budget. */
function routed(model: Model, name: string): RoutedModel {
  return {
    window: () => 0,
    ask: async ({ messages, tools, signal }) => ({
      status: "reply",
      reply: await model.complete({ model: name, messages, tools, signal }),
      used: 0,
    }),
  };
}

function metered(
  { job }: Attempt,
  event: JobEvent,
  { startedAt }: Talk,
  deps: ConverseDeps,
): { spend?: Spend } {
  const workedMs = Math.round(performance.now() - startedAt);
  if (event.type === "tool_finished") return { spend: { ...job.spend, workedMs } };
  if (event.type !== "reply") return {};
  const cost = deps.price(job.model, event.usage);
  return { spend: { ...addUsage(job.spend, event.usage, cost), workedMs } };
}

function addUsage(spend: Spend, usage: TokenUsage, price: number | null): Spend {
  return {
    ...spend,
    steps: spend.steps + 1,
    inputTokens: spend.inputTokens + usage.inputTokens,
    cachedTokens: spend.cachedTokens + usage.cachedTokens,
    outputTokens: spend.outputTokens + usage.outputTokens,
    microDollars: spend.microDollars === null || price === null ? null : spend.microDollars + price,
  };
}
