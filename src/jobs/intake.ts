import { createHash } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { ParsedTask } from "../core/command.ts";
import { type Command, type Job, PRIORITY, type Target } from "../core/job.ts";
import { answerMarker } from "../core/messages/answers.ts";
import type { CommentFacts } from "../core/policy.ts";
import type { KeyedAct, PullFacts } from "../core/ports.ts";
import type { RepoConfig } from "../core/repo-config.ts";
import type { Route } from "../core/route.ts";

/** The command of a comment, as it is stored; `actor` is who passed the gate. */
export function commandOf(
  facts: CommentFacts,
  actor: { id: number; login: string },
  key: string,
  pull: PullFacts | null,
  cleaned: boolean,
): Command {
  return {
    id: uuidv7(),
    key,
    repo: facts.repo,
    issue: facts.issue.number,
    actor: { id: actor.id, login: actor.login },
    commentId: facts.commentId,
    commentUrl: facts.commentUrl,
    revision: revisionOf(facts.body),
    commentedAt: facts.createdAt,
    cleaned,
    pull: pull && { head: pull.headRef, base: pull.baseRef },
    subject: facts.subject && {
      ...facts.subject,
      revision: revisionOf(`${facts.subject.title}\n${facts.subject.body}`),
    },
  };
}

function revisionOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** The job of one task, queued. */
export function jobOf(
  command: Command,
  spec: {
    number: number;
    task: ParsedTask;
    skill: string | null;
    skillBy?: NonNullable<Job["skillBy"]>;
    place: { baseSha: string; target: Target };
    config: RepoConfig;
    route: Route;
    budget?: number;
    most: number | null;
    continues?: NonNullable<Job["continues"]>;
    estimate?: NonNullable<Job["estimate"]>;
  },
  id: string,
  now: number,
): Job {
  return {
    id,
    key: `${command.key}/${command.revision}/${spec.number}`,
    commandId: command.id,
    number: spec.number,
    task: spec.task.text,
    skill: spec.skill,
    ...(spec.skillBy && { skillBy: spec.skillBy }),
    model: spec.route.choices[0].model,
    route: spec.route,
    ...(spec.budget !== undefined && { budget: spec.budget }),
    most: spec.most,
    ...(spec.continues && { continues: spec.continues }),
    ...(spec.estimate && { estimate: spec.estimate }),
    repo: command.repo,
    issue: command.issue,
    baseSha: spec.place.baseSha,
    target: spec.place.target,
    config: spec.config,
    state: "queued",
    priority: PRIORITY.person,
    fence: 0,
    attempts: 0,
    stop: null,
    spend: { steps: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, microDollars: 0 },
    plan: [],
    sources: null,
    lastAction: "",
    reason: "",
    change: null,
    allowance: null,
    publication: null,
    conflicts: [],
    createdAt: now,
    startedAt: null,
    endedAt: null,
  };
}

/** 👀 on the comment. */
export function reactionAct(facts: CommentFacts): KeyedAct {
  const key = `reaction:${facts.repo.id}:${facts.commentId}`;
  return {
    key,
    lane: key,
    act: { kind: "reaction", repo: facts.repo, commentId: facts.commentId, content: "eyes" },
  };
}

/** The one answer to a comment that starts no work. */
export function answerAct(facts: CommentFacts, text: string): KeyedAct {
  const key = `answer:${facts.repo.id}:${facts.commentId}`;
  const marker = answerMarker(facts.commentId);
  return {
    key,
    lane: key,
    act: {
      kind: "comment",
      repo: facts.repo,
      issue: facts.issue.number,
      marker,
      body: `${marker}\n${text}`,
      since: facts.createdAt,
    },
  };
}
