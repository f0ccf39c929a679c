import { v7 as uuidv7 } from "uuid";
import { chooseRoute, pathsIn } from "../core/choose-route.ts";
import type { ParsedTask } from "../core/command.ts";
import { estimate } from "../core/estimate.ts";
import type { FiguresStore } from "../core/figures.ts";
import type { Command, Job } from "../core/job.ts";
import type { ModelOffer } from "../core/model-offer.ts";
import { dollars, money } from "../core/money.ts";
import { chooseSkill } from "../core/plan.ts";
import type { CommandStore, TakenUp } from "../core/ports.ts";
import type { RepoConfig } from "../core/repo-config.ts";
import type { Request } from "../core/request.ts";
import type { Resolved } from "../core/resolve-model.ts";
import type { Verb } from "../core/route-rules.ts";
import { NO_SKILL } from "../core/skill.ts";
import { continued } from "./continued.ts";
import { jobOf } from "./intake.ts";
import { capsOfJob } from "./job-caps.ts";
import type { PlaceOf } from "./place.ts";

export interface PlanTaskDeps {
  commands: CommandStore;
  figures: Pick<FiguresStore, "history">;
  /** The operator's models. */
  models: { offer: ModelOffer; resolve: (name: string) => Resolved };
  now: () => number;
}

/** Where the tasks of a command are written, and what they may be done with. */
export interface Ground {
  request: Request;
  command: Command;
  config: RepoConfig;
  /** The job that opened the pull request it is written on, if one of ours did. */
  ours: Job | null;
  /** The skills that `--skill` may name: asked for when the name is known, for a job that is gone on with may have it. */
  skillNames: (asked: string | undefined) => Promise<string[]>;
  placeOf: PlaceOf;
}

/** The job of one task, or why there is none: a sentence without its full stop. */
export type PlannedTask =
  | { ok: true; job: Job; takenUp: TakenUp | null }
  | { ok: false; problem: string };

/** Makes the job of a task: what it goes on with, where, by which skill, model and budget. */
export async function planTask(
  given: ParsedTask,
  number: number,
  { request, command, config, ours, skillNames, placeOf }: Ground,
  deps: PlanTaskDeps,
): Promise<PlannedTask> {
  const { repo, issue } = request;
  const at = { repoId: repo.id, issue: issue.number, isPull: issue.isPull, ours };
  const whole = await continued(given, at, deps.commands);
  if (!whole.ok) return whole;
  const { task, goesOn } = whole;
  const id = uuidv7();
  const place = await placeOf(task, id);
  if (place.kind === "refused") return { ok: false, problem: place.reason };
  const asked = task.flags.skill;
  const none = asked === NO_SKILL;
  const chosen = none ? { skill: null } : chooseSkill(task.text, asked, await skillNames(asked));
  if ("problem" in chosen) return { ok: false, problem: chosen.problem };
  const { skill } = chosen;
  const facts = {
    skill,
    verb: verbOf(goesOn !== null, task, place.target.kind),
    labels: request.subject?.labels ?? [],
    paths: [...pathsIn(task.text), ...(ours?.change?.files.map(({ path }) => path) ?? [])],
    // Of what people wrote: what an agent is told besides does not make it a larger task.
    characters: [...(goesOn?.continues.task ?? task.text)].length,
    author: command.actor.login,
  };
  const { offer, resolve } = deps.models;
  const choosers = { flags: task.flags, repository: config, operator: offer };
  const routed = chooseRoute(facts, choosers, resolve);
  if (!routed.ok) return routed;
  const most = capsOfJob({ config }, offer.budgets).job;
  const budget = budgetOf(task, most);
  if ("problem" in budget) return { ok: false, problem: budget.problem };
  const { alike, costs } = await deps.figures.history({
    ...{ repoId: repo.id, installationId: repo.installationId, skill },
  });
  const expected = estimate(costs);
  const named = asked === undefined ? "first_word" : "flag";
  const skillBy = none ? "none" : (goesOn?.skillBy ?? named);
  const spec = {
    ...{ number, task, skill, place, config, route: routed.route, most, ...budget },
    ...(goesOn && { continues: goesOn.continues }),
    ...((skill !== null || none) && ({ skillBy } as const)),
    ...(expected && { estimate: { ...expected, alike } }),
  };
  const job = jobOf(command, spec, id, deps.now());
  return { ok: true, job, takenUp: goesOn?.takenUp ?? null };
}

function verbOf(goesOn: boolean, { work }: ParsedTask, target: Job["target"]["kind"]): Verb {
  if (goesOn) return "continue";
  if (work === "ask" || work === "plan") return work;
  return target === "follow_up" ? "follow_up" : "task";
}

/** What `--budget` allows the job, in micro-dollars: never more than the server and the repository do. */
function budgetOf(
  { flags }: ParsedTask,
  most: number | null,
): { budget?: number } | { problem: string } {
  if (flags.budget === undefined) return {};
  const amount = dollars(flags.budget);
  if (!amount.ok) return { problem: `\`--budget\` ${amount.problem}` };
  if (most === null || amount.microDollars <= most) return { budget: amount.microDollars };
  return {
    problem: `\`--budget ${flags.budget}\` is more than the ${money(most)} that a job may cost here (\`budget.job\` in \`.github/codex.yml\`, or \`budgets.job\` in the server's draftsmith.yml)`,
  };
}
