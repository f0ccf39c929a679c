import type { JobEvent } from "../core/event.ts";
import type { PlanItem } from "../core/job.ts";
import type { ChatMessage, Model, ModelReply, ToolCall } from "../core/model.ts";
import type { Sandbox, Workspace } from "../core/ports.ts";
import { makeCall, readCall } from "./call.ts";
import { CUT_REPLY, EMPTY_REPLY, INTERRUPTED, NOT_RUN, WRAP_UP_START, wrapUp } from "./notices.ts";
import {
  lastSaid,
  type Resumed,
  replay,
  type Said,
  silentReplies,
  unansweredCalls,
} from "./resume.ts";
import { createTools } from "./tools/index.ts";
import type { SkillAnswer } from "./tools/skill.ts";
import type { ToolAnswer, ToolContext } from "./tools/tool.ts";
import { createWatch } from "./watch.ts";

/** How an agent stopped, with its report; at a limit that of an earlier round, if there was one. */
export type AgentOutcome =
  | { status: "finished"; report: string }
  /** `loop`: it repeated one call, or made only calls that failed. */
  | { status: "limit"; which: "steps" | "minutes" | "tokens" | "loop"; report: string }
  | { status: "refused"; report: string }
  /** Several empty replies in a row. */
  | { status: "silent"; report: "" };

export interface AgentOptions {
  /**
   * The conversation so far; what is said is appended to this array and nothing in it is changed. A
   * resumed one may end in a reply whose calls are not answered yet, or in the report itself.
   */
  messages: ChatMessage[];
  /** Calls that began before a restart and never ended: they are not made again. */
  started: ReadonlySet<string>;
  model: Model;
  modelName: string;
  sandbox: Sandbox;
  workspace: Workspace;
  /** Domains that commands may reach. */
  network: string[];
  /** `deadline` is in ms since the epoch, as `now` gives it. */
  limits: { steps: number; tokens: number; deadline: number };
  spent: { steps: number; tokens: number };
  signal: AbortSignal;
  /** Throws when the next model call or tool call is not to begin. */
  goOn: () => void;
  now: () => number;
  /** Of a conversation that goes on after a restart. */
  resumed?: Resumed;
  /**
   * Stores an event before the next act; with a line for the board when there is news. `wrote`: it is the
   * result of a call that may have changed files.
   */
  record: (event: JobEvent, lastAction?: string, wrote?: boolean) => Promise<void>;
  /** Stores the agent's plan. */
  onPlan: (items: PlanItem[]) => Promise<void>;
  /** Takes up a skill that the model chose; absent when there is none to choose. */
  onSkill?: (name: string) => Promise<SkillAnswer>;
}

const MAX_SILENCE = 3;
const WRAP_UP_AT = 0.8;
const NOTHING_BEFORE: Resumed = {
  failed: new Set(),
  truncated: false,
  refused: false,
  notice: null,
};
/** The longest delay a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Lets the model work until it replies without a tool call, or a limit is reached. Calls of one reply
 * are made one after another. Throws the signal's reason when aborted.
 */
export async function runAgent(options: AgentOptions): Promise<AgentOutcome> {
  const { messages, limits, record, signal } = options;
  const spent = { ...options.spent };
  const tools = createTools(options.onPlan, options.onSkill);
  const specs = tools.map(({ spec }) => spec);
  const watch = createWatch();
  const context: ToolContext = {
    sandbox: options.sandbox,
    workspace: options.workspace,
    network: options.network,
    timeLeftMs: () => limits.deadline - options.now(),
    signal,
  };

  async function say(content: string): Promise<void> {
    const message: ChatMessage = { role: "user", content };
    await record({ type: "message", message });
    messages.push(message);
  }

  async function answerCalls(calls: ToolCall[], truncated: boolean): Promise<void> {
    for (const call of calls) {
      signal.throwIfAborted();
      options.goOn();
      const { answer, wrote } = await answerCall(call, truncated);
      const message: ChatMessage = { role: "tool", callId: call.id, content: answer.text };
      const { deniedHosts } = answer;
      await record(
        {
          type: "tool_finished",
          step: spent.steps,
          callId: call.id,
          message,
          ...(!answer.ok && { failed: true }),
          ...(answer.text === INTERRUPTED && { interrupted: true }),
          ...(deniedHosts && { deniedHosts }),
        },
        answer.action,
        wrote,
      );
      messages.push(message);
    }
  }

  async function answerCall(
    call: ToolCall,
    truncated: boolean,
  ): Promise<{ answer: ToolAnswer; wrote: boolean }> {
    if (options.started.has(call.id)) {
      const wrote = tools.find(({ spec }) => spec.name === call.name)?.writes ?? true;
      return { answer: { ok: true, text: INTERRUPTED, action: "resumed" }, wrote };
    }
    if (watch.stuck() !== null || context.timeLeftMs() <= 0) {
      return { answer: { ok: true, text: NOT_RUN, action: "stopped" }, wrote: false };
    }
    const ready = readCall(tools, call, truncated);
    if (ready.status === "unusable") {
      return { answer: watch.see(call, ready.answer), wrote: false };
    }
    const event: JobEvent = {
      type: "tool_started",
      step: spent.steps,
      callId: call.id,
      tool: call.name,
    };
    await record(event, ready.tool.doing(ready.args));
    const answer = watch.see(call, await makeCall(ready, context));
    return { answer, wrote: ready.tool.writes };
  }

  /** Asks the model and stores what it said; null when the time ran out meanwhile. */
  async function ask(): Promise<ModelReply | null> {
    const askedAt = options.now();
    const left = Math.min(Math.max(limits.deadline - askedAt, 0), MAX_TIMER_MS);
    const timeUp = AbortSignal.timeout(left);
    let reply: ModelReply;
    try {
      reply = await options.model.complete({
        model: options.modelName,
        messages,
        tools: specs,
        signal: AbortSignal.any([signal, timeUp]),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (timeUp.aborted) return null;
      throw error;
    }
    spent.steps += 1;
    spent.tokens += reply.usage.inputTokens + reply.usage.outputTokens;
    const message: ChatMessage = {
      role: "assistant",
      content: reply.content || (reply.toolCalls.length === 0 ? (reply.refusal ?? "") : ""),
      toolCalls: reply.toolCalls,
    };
    const latencyMs = options.now() - askedAt;
    await record({
      type: "reply",
      step: spent.steps,
      message,
      usage: reply.usage,
      latencyMs,
      ...(reply.truncated && { truncated: true }),
      ...(reply.refusal !== null && { refused: true }),
    });
    messages.push(message);
    return reply;
  }

  function limitReached(): "steps" | "minutes" | "tokens" | "loop" | null {
    if (watch.stuck() !== null) return "loop";
    if (spent.steps >= limits.steps) return "steps";
    if (spent.tokens >= limits.tokens) return "tokens";
    return context.timeLeftMs() <= 0 ? "minutes" : null;
  }

  const { resumed = NOTHING_BEFORE } = options;
  replay(watch, messages, resumed.failed);
  let { notice } = resumed;
  let reply: Said | null = lastSaid(messages, resumed);
  let silence = silentReplies(messages);
  for (;;) {
    if (reply !== null) {
      const spoke = reply.content.trim() !== "";
      silence = spoke || reply.toolCalls.length > 0 || reply.refusal !== null ? 0 : silence + 1;
      if (silence >= MAX_SILENCE) return { status: "silent", report: "" };
      if (reply.toolCalls.length > 0) await answerCalls(unansweredCalls(messages), reply.truncated);
      else if (reply.refusal !== null) return { status: "refused", report: reply.refusal };
      else if (reply.truncated) await say(CUT_REPLY);
      else if (!spoke) await say(EMPTY_REPLY);
      else if (notice === null) return { status: "finished", report: reply.content };
    }
    if (notice !== null) await say(notice);
    notice = null;
    signal.throwIfAborted();
    options.goOn();
    const limit = limitReached();
    const stuck = watch.stuck();
    if (stuck !== null) await record({ type: "note", text: stuck });
    if (limit !== null) return { status: "limit", which: limit, report: lastReport(messages) };
    if (shouldWrapUp(messages, spent, limits)) {
      const { steps, tokens } = limits;
      await say(wrapUp({ steps: steps - spent.steps, tokens: tokens - spent.tokens }));
    }
    reply = await ask();
    if (reply === null) return { status: "limit", which: "minutes", report: lastReport(messages) };
  }
}

/** The report of an earlier round; what is said between tool calls is none. */
function lastReport(messages: ChatMessage[]): string {
  const report = messages.findLast(
    (each) =>
      each.role === "assistant" && each.toolCalls.length === 0 && each.content.trim() !== "",
  );
  return report?.content ?? "";
}

function shouldWrapUp(
  messages: ChatMessage[],
  spent: { steps: number; tokens: number },
  limits: { steps: number; tokens: number },
): boolean {
  if (spent.steps < limits.steps * WRAP_UP_AT && spent.tokens < limits.tokens * WRAP_UP_AT)
    return false;
  return !messages.some(
    ({ role, content }) => role === "user" && content.startsWith(WRAP_UP_START),
  );
}
