import type { Budgets } from "../core/budgets.ts";
import type { Command, Job } from "../core/job.ts";
import type { Caps } from "../core/ledger.ts";
import { codeSpan } from "../core/markdown.ts";
import type { Model } from "../core/model.ts";
import type { ModelProfile } from "../core/model-profile.ts";
import { createPromptBound } from "../core/prompt-bound.ts";
import type { ModelChoice, Route } from "../core/route.ts";
import { skillAgainst } from "../core/skill-manifest.ts";
import type { Attempt } from "./attempt.ts";
import { type CallDeps, routedModel } from "./call-model.ts";
import { candidatesOf } from "./candidates.ts";
import { capsOfJob } from "./job-caps.ts";
import type { Transcript } from "./transcript.ts";

export interface JobModelDeps extends CallDeps {
  /** What the operator lets be spent. */
  budgets: Budgets;
}

/** The models of a job's route. */
export interface JobModels {
  /** What the job may spend, as it is at each moment: a skill that is taken up may lower it. */
  readonly caps: Caps;
  /** The one that works after so many rounds of failed checks. */
  after(failedChecks: number): Model;
  /** The tool to change files with: of the first model, whoever takes over. */
  editTool: ModelProfile["editTool"];
}

/** Joins the route of a job to its caps. Throws UserError when a model of it may not be used any more. */
export function jobModels(
  attempt: Attempt,
  { actor }: Command,
  { counted, messages }: Pick<Transcript, "counted" | "messages">,
  deps: JobModelDeps,
): JobModels {
  const { job, holder } = attempt;
  const route = routeOf(job);
  const bound = createPromptBound();
  if (counted !== null) {
    bound.told(counted.origin, messages.slice(0, counted.messages), counted.usage);
  }
  const caller = {
    ...{ jobId: job.id, fence: job.fence, commandId: job.commandId, actorId: actor.id },
    ...{ repoId: job.repo.id, installationId: job.repo.installationId, skill: job.skill },
  };
  const against = (model: string) => skillAgainst(job.skills?.pins ?? [], model);
  // As they are at each call: a skill that is taken up may not be written for some of them.
  const allowed: JobModelDeps = {
    ...deps,
    resolve(model) {
      const skill = against(model);
      if (skill === null) return deps.resolve(model);
      const problem = `the skill ${codeSpan(skill)} is not written for the model ${codeSpan(model)}`;
      return { ok: false, problem };
    },
  };
  const [first] = candidatesOf(route.choices, allowed);
  const capsNow = () => capsOfJob(job, deps.budgets);
  return {
    get caps() {
      return capsNow();
    },
    after(failedChecks) {
      const stronger = escalatedTo(route, failedChecks);
      const escalated = stronger && against(stronger.model) === null ? stronger : null;
      const choices = escalated === null ? route.choices : [escalated, ...route.choices];
      const rule = escalated === null ? route.rule : `${route.rule}, escalated`;
      const means = {
        caller: { ...caller, rule },
        bound,
        insist: holder.insist,
        get caps() {
          return capsNow();
        },
      };
      return routedModel(choices, means, allowed);
    },
    editTool: first?.profile.editTool ?? "edit",
  };
}

/** The model that takes over once checks failed so many times; null: nobody does. */
function escalatedTo({ escalation }: Route, failedChecks: number): ModelChoice | null {
  return escalation !== null && failedChecks >= escalation.afterFailedChecks ? escalation.to : null;
}

function routeOf({ route, model }: Job): Route {
  const choices: Route["choices"] = [{ model, effort: null }];
  return (
    route ?? {
      rule: "default",
      why: "it was made before there were rules",
      choices,
      escalation: null,
    }
  );
}
