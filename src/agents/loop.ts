import { UserError } from "../core/errors.ts";
import type { JobEvent } from "../core/event.ts";
import type { PlanItem } from "../core/job.ts";
import type { Answer, ChatMessage, Model, ToolCall } from "../core/model.ts";
import type { ModelProfile } from "../core/model-profile.ts";
import type { Sandbox, Workspace } from "../core/ports.ts";
import { makeCall, readCall } from "./call.ts";
import { createContext, fittedResult, type Seen } from "./context/context.ts";
import { CUT_REPLY, EMPTY_REPLY, INTERRUPTED, NOT_RUN, TOO_LONG, wrapUp } from "./notices.ts";
import { type AgentOutcome, type Asked, noRoomNow, notAnswered, replied } from "./outcome.ts";
import {
  cutReplies,
  lastReport,
  lastSaid,
  NOTHING_BEFORE,
  type Resumed,
  replay,
  type Said,
  silentReplies,
  toldToWrapUp,
  unansweredCalls,
} from "./resume.ts";
import { createTools, specsOf } from "./tools/index.ts";
import type { SkillAnswer } from "./tools/skill.ts";
import type { ToolAnswer, ToolContext } from "./tools/tool.ts";
import { createWatch } from "./watch.ts";

export interface AgentOptions {
  /**
   * The conversation so far; what is said is appended to this array and nothing in it is changed. A
   * resumed one may end in a reply whose calls are not answered yet, or in the report itself.
   */
  messages: ChatMessage[];
  /** Calls that began before a restart and never ended: they are not made again. */
  started: ReadonlySet<string>;
  /** How the model sees the conversation; kept true, for the next round. */
  seen: Seen;
  model: Model;
  /** The tool it changes files with. */
  editTool: ModelProfile["editTool"];
  sandbox: Sandbox;
  workspace: Workspace;
  /** Domains that commands may reach. */
  network: string[];
  /** `deadline` is in ms since the epoch, as `now` gives it. */
  limits: { steps: number; tokens: number; deadline: number };
  spent: { steps: number; tokens: number };
  /** Share of the job's money that is gone, from 0 to 1; none unless given. */
  used?: number;
  /** What the job may spend, as it is at each moment: a skill that is taken up may lower it; null: no bound. */
  budget?: () => number | null;
  /** What the model's server said when it did not answer before; null or absent: it answered. */
  unanswered?: string | null;
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
  /** Whether what it changes is thrown away. */
  readOnly?: boolean;
  /** Takes up a skill that the model chose; absent when there is none to choose. */
  onSkill?: (name: string) => Promise<SkillAnswer>;
}

const MAX_SILENCE = 3;
/** Cut replies without a call: by then five times the first room for a reply was doubled. */
const MAX_CUTS = 5;
const WRAP_UP_AT = 0.8;
/** The longest delay a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Lets the model work until it replies without a tool call, or a limit is reached. Calls of one reply
 * are made one after another. Throws the signal's reason when aborted.
 */
export async function runAgent(options: AgentOptions): Promise<AgentOutcome> {
  const { messages, limits, record, signal } = options;
  const spent = { ...options.spent };
  const tools = createTools(options.editTool, options);
  const specs = specsOf(tools);
  const conversation = createContext(messages, specs, options.seen);
  const budget = () => options.budget?.() ?? null;
  /** Share of the job's budget, as the last answer told, and what it is a share of. */
  let told = { used: options.used ?? 0, of: budget() };
  let unanswered = options.unanswered ?? null;
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
      const content = fittedResult(answer.text, options.model.window());
      const message: ChatMessage = { role: "tool", callId: call.id, content };
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
    const started = { step: spent.steps, callId: call.id, tool: call.name };
    await record({ type: "tool_started", ...started }, ready.tool.doing(ready.args));
    const answer = watch.see(call, await makeCall(ready, context));
    return { answer, wrote: ready.tool.writes };
  }

  /** Asks the model, with a shorter conversation where it has to be, and stores what it said. */
  async function ask(): Promise<Asked> {
    const left = Math.min(Math.max(context.timeLeftMs(), 0), MAX_TIMER_MS);
    const timeUp = AbortSignal.timeout(left);
    let waitsFor: string | null = null;
    const onWait = async (what: string) => {
      waitsFor = what;
      const text = `waiting for ${what}`;
      await record({ type: "note", text }, text);
    };
    let tooLong: Extract<Answer, { status: "too_long" }> | null = null;
    for (;;) {
      const due = conversation.due(options.model.window(), tooLong !== null);
      if (due !== null) {
        await record({ type: "compacted", ...due });
        conversation.apply(due);
      } else if (tooLong !== null) {
        if (tooLong.due !== null) throw noRoomNow(tooLong.due);
        await record({ type: "note", text: TOO_LONG });
        return { status: "limit", which: "context" };
      }
      options.goOn();
      const askedAt = options.now();
      let answer: Answer;
      try {
        answer = await options.model.ask({
          messages: conversation.view(),
          tools: specs,
          step: spent.steps + 1,
          signal: AbortSignal.any([signal, timeUp]),
          onWait,
          onFail: (said) => {
            unanswered = said;
          },
          timeLeftMs: context.timeLeftMs,
        });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof UserError) {
          return { status: "failed", by: "refusal", reason: error.message };
        }
        if (!timeUp.aborted) throw error;
        if (waitsFor === null) return timeIsUp();
        const why = `the time limit was reached while it waited for ${waitsFor}`;
        return { status: "limit", which: "room", why };
      }
      if (answer.status === "too_long") {
        tooLong = answer;
        continue;
      }
      if (answer.status === "over_budget") {
        return { status: "limit", which: "budget", why: answer.why };
      }
      told = { used: answer.used, of: budget() };
      unanswered = null;
      await store(answer, options.now() - askedAt, waitsFor !== null);
      return { status: "said", reply: answer.reply };
    }
  }

  async function store(
    answer: Extract<Answer, { status: "reply" }>,
    latencyMs: number,
    waited: boolean,
  ): Promise<void> {
    const { reply } = answer;
    spent.steps += 1;
    spent.tokens += reply.usage.inputTokens + reply.usage.outputTokens;
    const event = replied(answer, { step: spent.steps, latencyMs });
    await record(event, waited ? "the model answered" : undefined);
    messages.push(event.message);
    conversation.measure(reply.usage);
  }

  function timeIsUp(): Extract<Asked, { status: "limit" }> {
    if (unanswered === null) return { status: "limit", which: "minutes" };
    return { status: "limit", which: "unanswered", why: notAnswered(unanswered) };
  }

  /** Share of the job's budget as it is now. */
  function used(): number {
    const now = budget();
    return told.of === null || now === null ? told.used : (told.used * told.of) / now;
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
  let cuts = cutReplies(messages);
  for (;;) {
    if (reply !== null) {
      const spoke = reply.content.trim() !== "";
      const acts = reply.toolCalls.length > 0 || reply.refusal !== null;
      cuts = reply.truncated && !acts ? cuts + 1 : 0;
      silence = spoke || acts || reply.truncated ? 0 : silence + 1;
      if (silence >= MAX_SILENCE) return { status: "silent", report: lastReport(messages) };
      if (cuts >= MAX_CUTS) return { status: "limit", which: "length", report: "" };
      if (reply.toolCalls.length > 0) await answerCalls(unansweredCalls(messages), reply.truncated);
      else if (reply.refusal !== null) {
        return {
          status: "refused",
          refusal: reply.refusal,
          report: lastReport(messages.slice(0, -1)),
        };
      } else if (reply.truncated) await say(CUT_REPLY);
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
    if (limit !== null) {
      const end = limit === "minutes" ? timeIsUp() : { status: "limit" as const, which: limit };
      return { ...end, report: lastReport(messages) };
    }
    const gone = used();
    const most = Math.max(gone, spent.steps / limits.steps, spent.tokens / limits.tokens);
    if (most >= WRAP_UP_AT && !toldToWrapUp(messages)) {
      const steps = limits.steps - spent.steps;
      const tokens = limits.tokens - spent.tokens;
      await say(wrapUp({ steps, tokens, budget: gone > 0 ? 1 - gone : null }));
    }
    const asked = await ask();
    if (asked.status !== "said") return { ...asked, report: lastReport(messages) };
    reply = asked.reply;
  }
}
