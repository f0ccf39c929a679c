import { createHash } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { ParsedTask } from "../core/command.ts";
import { type Command, type Job, PRIORITY, type Target } from "../core/job.ts";
import { answerMarker } from "../core/messages/answers.ts";
import type { KeyedAct, PullFacts } from "../core/ports.ts";
import type { RepoConfig } from "../core/repo-config.ts";
import { type Request, requestKey, wayKey } from "../core/request.ts";
import type { Route } from "../core/route.ts";

/** The command of a request, as it is stored; `actor` is who passed the gate. */
export function commandOf(
  request: Request,
  actor: { id: number; login: string },
  pull: PullFacts | null,
  cleaned: boolean,
): Command {
  return {
    id: uuidv7(),
    key: requestKey(request),
    repo: request.repo,
    issue: request.issue.number,
    actor: { id: actor.id, login: actor.login },
    way: request.way,
    url: request.url,
    revision: revisionOf(request.body),
    askedAt: request.at,
    cleaned,
    pull: pull && { head: pull.headRef, base: pull.baseRef },
    subject: request.subject && {
      ...request.subject,
      revision: revisionOf(`${request.subject.title}\n${request.subject.body}`),
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
    ...(spec.task.work && { work: spec.task.work }),
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

/** The one answer to a request that starts no work, where it was made. */
export function answerAct(request: Request, text: string): KeyedAct {
  const { repo, way, issue } = request;
  const key = `answer:${repo.id}:${wayKey(request)}`;
  const marker = answerMarker(request);
  return {
    key,
    lane: key,
    act: {
      kind: "comment",
      repo,
      issue: issue.number,
      ...(way.kind === "review_comment" && { thread: way.thread }),
      marker,
      body: `${marker}\n${text}`,
      since: request.at,
    },
  };
}
