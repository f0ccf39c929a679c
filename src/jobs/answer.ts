import type { Command, Ending, Job, JobState } from "../core/job.ts";
import { safeMarkdown } from "../core/markdown.ts";
import { renderResult, resultMarker } from "../core/messages/result.ts";
import type { KeyedAct } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type BeginDeps, begin } from "./begin.ts";
import { type ConverseDeps, converse } from "./converse.ts";
import type { Outbox } from "./outbox.ts";
import { type RecheckDeps, recheck } from "./recheck.ts";
import { stoppedShort } from "./stopped-short.ts";

export interface AnswerDeps extends BeginDeps, ConverseDeps, RecheckDeps {
  outbox: Outbox;
}

/** Characters of an answer; a comment takes 65,536. */
const MAX_ANSWER = 50_000;

/**
 * The whole work of a job that only reads: its agent looks around in a checkout that is thrown away, and its
 * last words are posted where they were asked for.
 */
export async function answer(
  attempt: Attempt,
  deps: AnswerDeps,
  signal: AbortSignal,
): Promise<void> {
  const begun = await begin(attempt, deps, signal);
  const end = (state: JobState, reason: string, ending: Ending | null = null) =>
    attempt.move(state, {
      ...{ reason, lastAction: "", endedAt: deps.now() },
      ...(ending && { ending }),
    });
  if (begun.status === "failed") return end("failed", begun.reason);
  const { command, models, transcript } = begun;
  const caps = () => models.caps;
  const talk = { ...begun.talk, model: models.after(0), caps, resumed: transcript };
  const outcome = await converse(attempt, talk, deps, signal);
  const short = stoppedShort(outcome);
  if (short !== null && outcome.report.trim() === "") {
    const { state, reason } = short.unchanged;
    return end(state, reason, short.ending);
  }
  await recheck(attempt.job, deps);
  attempt.goOn();
  const text = safeMarkdown(outcome.report, { maxLength: MAX_ANSWER });
  const body = renderResult(attempt.job, command, { text, why: short?.why ?? null });
  await deps.outbox.put(resultAct(attempt.job, command, body));
  if (short === null) return end("done", "");
  const reason = `stopped because ${short.why}; what it found out is posted`;
  return end(short.unchanged.state, reason, short.ending);
}

/** The one comment with the result of a job, where it was asked for. */
function resultAct({ id, repo, issue }: Job, { way, askedAt }: Command, body: string): KeyedAct {
  const key = `result:${id}`;
  const thread = way.kind === "review_comment" ? { thread: way.thread } : {};
  const marker = resultMarker(id);
  return {
    key,
    lane: key,
    act: { kind: "comment", repo, issue, ...thread, marker, body, since: askedAt },
  };
}
