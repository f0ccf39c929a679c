import { type ParsedTask, parseCommand } from "../core/command.ts";
import type { Command, Job, RepoRef } from "../core/job.ts";
import { noSandbox, refusal, usage } from "../core/messages/answers.ts";
import type { CommentFacts } from "../core/policy.ts";
import type { GitHub, Sandbox, SkillHomes } from "../core/ports.ts";
import { NO_SKILL } from "../core/skill.ts";
import type { Passed } from "./gate.ts";
import { commandOf } from "./intake.ts";
import { skillNamesOf } from "./known-skills.ts";
import { branchPlaces, pullPlaces } from "./place.ts";
import { type PlanTaskDeps, planTask } from "./plan-task.ts";

/** What a comment may hold before the repository's own, lower limit is known. */
export const MOST_TASKS = 20;

export interface PlanDeps extends PlanTaskDeps {
  github: GitHub;
  sandbox: Pick<Sandbox, "check">;
  /** Those of this server. */
  skills: readonly { name: string; description: string }[];
  /** Asked only for a skill that this server does not have. */
  homes: SkillHomes;
}

/** The jobs of a command, or why there are none. */
type Plan = { kind: "work"; command: Command; jobs: Job[] } | { kind: "answer"; text: string };

/** Makes the jobs of a comment that passed the gate. */
export async function planCommand(
  comment: CommentFacts,
  key: string,
  { actor, ground }: Passed,
  deps: PlanDeps,
): Promise<Plan> {
  const { config, pull } = ground;
  const refuse = (reason: string): Plan => ({
    kind: "answer",
    text: refusal(actor.login, reason),
  });
  const maxTasks = config.limits.tasks;
  const parsed = parseCommand(comment.body, { maxTasks });
  const help = usage(deps.skills, maxTasks);
  if (parsed.kind === "refused") {
    const text = refusal(actor.login, parsed.problem);
    return { kind: "answer", text: parsed.usage ? `${text}\n\n${help}` : text };
  }
  if (parsed.kind !== "command") return { kind: "answer", text: help };
  const boundary = await deps.sandbox.check();
  // A machine that is too busy to tell is as it was: the job looks again before it begins.
  if (!boundary.ok && boundary.passing === undefined)
    return { kind: "answer", text: noSandbox(actor.login, boundary.remedy) };
  const command = commandOf(comment, actor, key, pull, parsed.cleaned);
  const bases = { configured: config.base, default: ground.defaultBranch };
  const ours = pull && (await deps.commands.jobOfPull(comment.repo.id, pull.number));
  const placeOf = pull
    ? pullPlaces(comment, pull, ours)
    : branchPlaces(comment, bases, deps.github);
  const skillNames = await namesFor(parsed.tasks, comment.repo, deps);
  const here = { comment, command, config, ours, skillNames, placeOf };
  const jobs: Job[] = [];
  for (const [index, task] of parsed.tasks.entries()) {
    const planned = await planTask(task, index + 1, here, deps);
    if (!planned.ok) return refuse(planned.problem);
    jobs.push(planned.job);
  }
  return { kind: "work", command, jobs };
}

/**
 * Names of skills that tasks may choose from by a flag. GitHub is asked only for a name this server does not
 * know: the first word of a task is looked at again by who reads the repository's skills.
 */
async function namesFor(
  tasks: readonly ParsedTask[],
  repo: RepoRef,
  { skills, homes }: PlanDeps,
): Promise<string[]> {
  const own = skills.map(({ name }) => name);
  const known = (name: string | undefined) =>
    name === undefined || name === NO_SKILL || own.includes(name);
  if (tasks.every(({ flags }) => known(flags.skill))) return own;
  return [...new Set([...own, ...(await skillNamesOf(repo, homes))])];
}
