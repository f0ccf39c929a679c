import { v7 as uuidv7 } from "uuid";
import { chooseRoute, pathsIn } from "../core/choose-route.ts";
import { type ParsedTask, parseCommand } from "../core/command.ts";
import type { Command, Job, RepoRef } from "../core/job.ts";
import { noSandbox, refusal, usage } from "../core/messages/answers.ts";
import type { ModelOffer } from "../core/model-offer.ts";
import { chooseSkill } from "../core/plan.ts";
import type { CommentFacts } from "../core/policy.ts";
import type { CommandStore, GitHub, Sandbox, SkillHomes } from "../core/ports.ts";
import type { Resolved } from "../core/resolve-model.ts";
import { NO_SKILL } from "../core/skill.ts";
import type { Passed } from "./gate.ts";
import { commandOf, jobOf } from "./intake.ts";
import { skillNamesOf } from "./known-skills.ts";
import { branchPlaces, pullPlaces } from "./place.ts";

/** What a comment may hold before the repository's own, lower limit is known. */
export const MOST_TASKS = 20;

export interface PlanDeps {
  commands: CommandStore;
  github: GitHub;
  sandbox: Pick<Sandbox, "check">;
  /** Those of this server. */
  skills: readonly { name: string; description: string }[];
  /** Asked only for a skill that this server does not have. */
  homes: SkillHomes;
  /** The operator's models. */
  models: { offer: ModelOffer; resolve: (name: string) => Resolved };
  now: () => number;
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
  const jobs: Job[] = [];
  for (const [index, task] of parsed.tasks.entries()) {
    const id = uuidv7();
    const place = await placeOf(task, id);
    if (place.kind === "refused") return refuse(place.reason);
    const asked = task.flags.skill;
    const none = asked === NO_SKILL;
    const chosen = none ? { skill: null } : chooseSkill(task.text, asked, skillNames);
    if ("problem" in chosen) return refuse(chosen.problem);
    const { skill } = chosen;
    const facts = {
      skill,
      verb: place.target.kind === "follow_up" ? ("follow_up" as const) : ("task" as const),
      labels: comment.subject?.labels ?? [],
      paths: [...pathsIn(task.text), ...(ours?.change?.files.map(({ path }) => path) ?? [])],
      characters: [...task.text].length,
      author: actor.login,
    };
    const { offer, resolve } = deps.models;
    const choosers = { flags: task.flags, repository: config, operator: offer };
    const routed = chooseRoute(facts, choosers, resolve);
    if (!routed.ok) return refuse(routed.problem);
    const spec = { number: index + 1, task, skill, place, config, route: routed.route };
    const skillBy = none ? "none" : asked !== undefined ? "flag" : "first_word";
    const by = skill === null && skillBy !== "none" ? {} : ({ skillBy } as const);
    jobs.push(jobOf(command, { ...spec, ...by }, id, deps.now()));
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
