import type { Seen } from "../agents/context/context.ts";
import { runAgent } from "../agents/loop.ts";
import { type AgentOutcome, notAnswered } from "../agents/outcome.ts";
import { lastReport, type Resumed } from "../agents/resume.ts";
import type { SkillAnswer } from "../agents/tools/skill.ts";
import { LostLease, NoReply, toError } from "../core/errors.ts";
import type { JobEvent } from "../core/event.ts";
import type { Job, Spend } from "../core/job.ts";
import type { Caps, LedgerStore } from "../core/ledger.ts";
import { utcTime } from "../core/messages/words.ts";
import type { ChatMessage, Model } from "../core/model.ts";
import type { ModelProfile } from "../core/model-profile.ts";
import type { Sandbox, Workspace } from "../core/ports.ts";
import { withCalls } from "../core/spend.ts";
import { isReadOnly } from "../core/verbs.ts";
import type { Attempt } from "./attempt.ts";
import type { Kept } from "./keep-files.ts";
import { LONG_WAIT_MS, nextTry } from "./wait-before.ts";

export interface ConverseDeps {
  sandbox: Sandbox;
  ledger: LedgerStore;
}

/** Where a conversation stands; the agent appends to `messages`. */
export interface Talk {
  model: Model;
  /** As they are at each moment. */
  caps: () => Caps;
  editTool: ModelProfile["editTool"];
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

/**
 * Lets the agent go on from where the conversation stands; each reply is stored. Throws NoReply where the job is
 * to wait for the model.
 */
export async function converse(
  attempt: Attempt,
  talk: Talk,
  deps: ConverseDeps,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  try {
    return await goOn(attempt, talk, deps, signal);
  } catch (thrown) {
    if (thrown instanceof LostLease) throw thrown;
    const { job } = attempt;
    const error = toError(thrown);
    const away = error instanceof NoReply;
    // What was waited in vain is time of the job, too.
    const said = away ? (error.said ?? job.spend.unanswered ?? error.message) : "";
    const spend = { ...job.spend, ...worked(talk), ...(away && { unanswered: said }) };
    await attempt.write({ spend });
    if (!away) throw error;
    const report = lastReport(talk.messages);
    const { kind } = nextTry(job, error, Date.now());
    if (kind === "wait") throw error;
    if (kind === "given_up") {
      return { status: "failed", by: "silence", reason: error.message, report };
    }
    const { retryAt } = error;
    const until =
      retryAt === undefined || retryAt - Date.now() < LONG_WAIT_MS
        ? ""
        : `; it is not to be asked before ${utcTime(retryAt)}`;
    return { status: "limit", which: "unanswered", why: notAnswered(`${said}${until}`), report };
  }
}

async function goOn(
  attempt: Attempt,
  talk: Talk,
  deps: ConverseDeps,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  const { job } = attempt;
  const { network } = job.config;
  const spend = await spendOf(job, deps.ledger);
  const { job: cap } = talk.caps();
  return runAgent({
    messages: talk.messages,
    started: talk.started,
    seen: talk.seen,
    model: talk.model,
    editTool: talk.editTool,
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
    readOnly: isReadOnly(job.work),
    spent: { steps: spend.steps, tokens: spend.inputTokens + spend.outputTokens },
    used: cap === null ? 0 : (spend.microDollars ?? 0) / cap,
    budget: () => talk.caps().job,
    unanswered: job.spend.unanswered ?? null,
    signal,
    goOn: attempt.goOn,
    now: () => Math.round(performance.now()),
    resumed: talk.resumed,
    async record(event, lastAction, wrote = false) {
      const patch = { ...metered(attempt, event, talk), ...(lastAction && { lastAction }) };
      if (event.type !== "tool_finished") return attempt.write(patch, [event]);
      // With the files as they are now: another worker can go on from here.
      const { commit, files } = await talk.keep(wrote);
      await attempt.write(patch, [{ ...event, commit }], files);
    },
    onPlan: (plan) => attempt.write({ plan }),
  });
}

/** What the job consumed until now, by the ledger. */
async function spendOf({ id, spend }: Job, ledger: LedgerStore): Promise<Spend> {
  return withCalls(spend, (await ledger.spentBy([id])).get(id));
}

/** Steps and time of the job; its calls are in the ledger. */
function metered({ job }: Attempt, event: JobEvent, talk: Talk): { spend?: Spend } {
  if (event.type === "tool_finished") return { spend: { ...job.spend, ...worked(talk) } };
  if (event.type !== "reply") return {};
  const { unanswered: _, ...spend } = job.spend;
  return { spend: { ...spend, steps: spend.steps + 1, ...worked(talk) } };
}

function worked({ startedAt }: Talk): { workedMs: number } {
  return { workedMs: Math.round(performance.now() - startedAt) };
}
