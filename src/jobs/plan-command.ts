import { asks } from "../core/asks.ts";
import type { ParsedTask } from "../core/command.ts";
import { configNotes, rulesWithoutSkill } from "../core/config-notes.ts";
import { toError } from "../core/errors.ts";
import type { Command, Job, RepoRef } from "../core/job.ts";
import { noSandbox, refusal, usage } from "../core/messages/answers.ts";
import { shortId } from "../core/plan.ts";
import type { GitHub, Log, Sandbox, SkillHomes, TakenUp } from "../core/ports.ts";
import type { RepoConfig } from "../core/repo-config.ts";
import type { Request } from "../core/request.ts";
import { NO_SKILL } from "../core/skill.ts";
import { retried } from "./continued.ts";
import type { Passed } from "./gate.ts";
import { commandOf } from "./intake.ts";
import { skillNamesOf } from "./known-skills.ts";
import { branchPlaces, pullPlaces } from "./place.ts";
import { type PlanTaskDeps, planTask } from "./plan-task.ts";

/** Tasks that a request may hold before the repository's own, lower limit is known. */
export const MOST_TASKS = 20;

export interface PlanDeps extends PlanTaskDeps {
  github: GitHub;
  sandbox: Pick<Sandbox, "check">;
  /** Those of this server. */
  skills: readonly { name: string; description: string }[];
  /** Asked only for a skill that this server does not have, and for help. */
  homes: SkillHomes;
  log: Log;
}

/** The jobs of a command, or why there are none. */
type Plan =
  | { kind: "work"; command: Command; jobs: Job[]; takenUp: TakenUp[] }
  | { kind: "answer"; text: string };

/** Makes the jobs of a request that passed the gate. */
export async function planCommand(
  request: Request,
  mention: string | null,
  { actor, ground }: Passed,
  deps: PlanDeps,
): Promise<Plan> {
  const { pull } = ground;
  const fromFork = pull !== null && !pull.sameRepo;
  // For the code of a fork nobody here answers: it is looked at, and reaches nothing.
  const config = fromFork ? { ...ground.config, setup: [], network: [] } : ground.config;
  const refuse = (reason: string): Plan => ({
    kind: "answer",
    text: refusal(actor.login, reason),
  });
  const maxTasks = config.limits.tasks;
  const parsed = asks(request, { maxTasks, mention });
  if (parsed.kind === "refused") {
    const text = refusal(actor.login, parsed.problem);
    const help = () => usage(deps.skills, maxTasks);
    return { kind: "answer", text: parsed.usage ? `${text}\n\n${help()}` : text };
  }
  const { offer, resolve } = deps.models;
  const notes = configNotes(config, { budgets: offer.budgets, resolve });
  if (parsed.kind !== "command") {
    return { kind: "answer", text: await help(request.repo, config, notes, deps) };
  }
  const boundary = await deps.sandbox.check();
  // A machine that is too busy to tell is as it was: the job looks again before it begins.
  if (!boundary.ok && boundary.passing === undefined)
    return { kind: "answer", text: noSandbox(actor.login, boundary.remedy) };
  const command = commandOf(request, actor, pull, parsed.cleaned);
  const bases = { configured: config.base, default: ground.defaultBranch };
  const ours = pull && (await deps.commands.jobOfPull(request.repo.id, pull.number));
  const placeOf = pull
    ? pullPlaces(request, pull, ours)
    : branchPlaces(request, bases, deps.github);
  const skillNames = namesFor(request.repo, deps);
  const here = { request, command, config, ours, skillNames, placeOf };
  const at = { repoId: request.repo.id, issue: request.issue.number, isPull: pull !== null, ours };
  const tasks: ParsedTask[] = [];
  for (const task of parsed.tasks) {
    const { retries } = task;
    const again = retries ? await retried({ ...task, retries }, at, deps.commands) : [task];
    if (typeof again === "string") return refuse(again);
    tasks.push(...again);
  }
  if (tasks.length > maxTasks) {
    return refuse(
      `that would be ${tasks.length} tasks, and ${maxTasks} are allowed in one comment; name one by its digits`,
    );
  }
  const jobs: Job[] = [];
  const takenUp: TakenUp[] = [];
  for (const [index, task] of tasks.entries()) {
    const planned = await planTask(task, index + 1, here, deps);
    if (!planned.ok) return refuse(planned.problem);
    for (const job of jobs) {
      const both = goesOnWithBoth(job, planned.job);
      if (both === null) continue;
      const name = `\`${shortId(both)}\``;
      return refuse(`tasks ${job.number} and ${index + 1} both continue job ${name}; keep one`);
    }
    const noted = index === 0 && notes.length > 0;
    jobs.push(noted ? { ...planned.job, notes } : planned.job);
    if (planned.takenUp) takenUp.push(planned.takenUp);
  }
  return { kind: "work", command, jobs, takenUp };
}

/** The usage with all skills there are, and with what the configuration says in vain. */
async function help(
  repo: RepoRef,
  { limits, routes }: RepoConfig,
  notes: string[],
  { skills, homes, log }: PlanDeps,
): Promise<string> {
  const served = skills.map(({ name }) => name);
  const found = await skillNamesOf(repo, homes).catch((thrown: unknown) => {
    log.warn({ err: toError(thrown) }, "the skills of a repository could not be read");
    return null;
  });
  const own = found?.filter((name) => !served.includes(name)) ?? null;
  const unknown = own === null ? [] : rulesWithoutSkill(routes, [...served, ...own]);
  return usage(skills, limits.tasks, own, [...notes, ...unknown.map(({ text }) => text)]);
}

/** The job that one of two goes straight on with, and the other one as well; null where there is none. */
function goesOnWithBoth(one: Job, other: Job): string | null {
  const [a, b] = [one.continues?.jobs ?? [], other.continues?.jobs ?? []];
  const [lastOfA, lastOfB] = [a.at(-1), b.at(-1)];
  if (lastOfA !== undefined && b.includes(lastOfA)) return lastOfA;
  return lastOfB !== undefined && a.includes(lastOfB) ? lastOfB : null;
}

/**
 * Names of skills that a task may choose from by a flag. GitHub is asked, once, only for a name this server
 * does not know: the first word of a task is looked at again by who reads the repository's skills.
 */
function namesFor(
  repo: RepoRef,
  { skills, homes }: PlanDeps,
): (asked: string | undefined) => Promise<string[]> {
  const own = skills.map(({ name }) => name);
  let all: Promise<string[]> | null = null;
  return (asked) => {
    if (asked === undefined || asked === NO_SKILL || own.includes(asked)) {
      return Promise.resolve(own);
    }
    all ??= skillNamesOf(repo, homes).then((found) => [...new Set([...own, ...found])]);
    return all;
  };
}
