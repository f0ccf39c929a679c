import type { Command, Job } from "../core/job.ts";
import { safeMarkdown } from "../core/markdown.ts";
import { renderResult, resultMarker } from "../core/messages/result.ts";
import type { KeyedAct } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type BeginDeps, begin } from "./begin.ts";
import { type ConverseDeps, converse } from "./converse.ts";
import type { Outbox } from "./outbox.ts";
import { type RecheckDeps, recheck } from "./recheck.ts";
import { said } from "./words-of.ts";
import { limitWords } from "./work.ts";

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
  const end = (state: "done" | "no_change" | "over_budget" | "failed", reason: string) =>
    attempt.move(state, { reason, lastAction: "", endedAt: deps.now() });
  if (begun.status === "failed") return end("failed", begun.reason);
  const { command, models, transcript } = begun;
  const { caps } = models;
  const talk = { ...begun.talk, model: models.after(0), caps, resumed: transcript };
  const outcome = await converse(attempt, talk, deps, signal);
  if (outcome.status === "silent") {
    return end("failed", "the model answered nothing, several times in a row");
  }
  if (outcome.status === "refused") return end("no_change", `the model declined: ${said(outcome)}`);
  const limit = outcome.status === "limit" ? limitWords(outcome) : null;
  if (outcome.report.trim() === "") {
    return end("over_budget", `stopped because ${limit}, before there was an answer`);
  }
  await recheck(attempt.job, deps);
  attempt.goOn();
  const text = safeMarkdown(outcome.report, { maxLength: MAX_ANSWER });
  await deps.outbox.put(
    resultAct(attempt.job, command, renderResult(attempt.job, command, { text, limit })),
  );
  if (limit === null) return end("done", "");
  return end("over_budget", `stopped because ${limit}; what it found out is posted`);
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
