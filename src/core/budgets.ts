import { z } from "zod";
import type { Caps } from "./ledger.ts";

/** Dollars that may be spent unless the operator says otherwise; what is not named has no bound. */
const DEFAULT_BUDGETS = { job: 2, command: 10, repository_day: 50 } as const;

const MICRO = 1_000_000;
const LEAST = 0.01;
const MOST = 1_000_000;
const MOST_OF_REPOSITORY = 10_000;

const amount = (what: string) =>
  z
    .union([z.number().min(LEAST).max(MOST), z.literal("none")], {
      error: `must be dollars from ${LEAST} to ${MOST.toLocaleString("en")}, such as 2.5, or \`none\` for no bound`,
    })
    .optional()
    .describe(what);

/** Schema of the operator's budgets, in US dollars; days and months are UTC. */
export const budgetsSchema = z
  .strictObject({
    call: amount("One model call."),
    job: amount(`One job; ${DEFAULT_BUDGETS.job} by default.`),
    command: amount(`All jobs of one command; ${DEFAULT_BUDGETS.command} by default.`),
    person_day: amount("All that one person asks for in a day."),
    repository_day: amount(
      `All jobs of one repository in a day; ${DEFAULT_BUDGETS.repository_day} by default.`,
    ),
    repository_month: amount("All jobs of one repository in a month."),
    installation_month: amount("All jobs of one installation of the App in a month."),
    operator_month: amount("All that this server spends in a month."),
  })
  .prefault({})
  .describe("What may be spent on models, in US dollars; `none` lifts a bound.");

/** The operator's budgets as they are written. */
export type Budgets = z.output<typeof budgetsSchema>;

const ownAmount = (what: string) =>
  z.number().min(LEAST).max(MOST_OF_REPOSITORY).optional().describe(what);

/** Schema of what a repository lets its jobs spend, in US dollars: never more than the operator does. */
export const repoBudgetSchema = z
  .strictObject({
    job: ownAmount("One job."),
    command: ownAmount("All jobs of one command."),
    day: ownAmount("All jobs of this repository in a day (UTC)."),
    month: ownAmount("All jobs of this repository in a month (UTC)."),
  })
  .prefault({})
  .describe(
    "What may be spent on models here, in US dollars, where that is less than the server allows.",
  );

/** What a repository lets its jobs spend. */
export type RepoBudget = z.output<typeof repoBudgetSchema>;

/**
 * What may be spent under each cap: what the operator allows, or less where the repository, or who
 * asked for the job (`job`, in micro-dollars), wants less.
 */
export function capsOf(budgets: Budgets, repo: RepoBudget, job: number | null = null): Caps {
  const of = (key: keyof Budgets) => {
    const given = budgets[key] ?? DEFAULTS[key] ?? null;
    return given === "none" ? null : given;
  };
  return {
    call: micro(of("call")),
    job: least(micro(of("job"), repo.job), job),
    command: micro(of("command"), repo.command),
    personDay: micro(of("person_day")),
    repositoryDay: micro(of("repository_day"), repo.day),
    repositoryMonth: micro(of("repository_month"), repo.month),
    installationMonth: micro(of("installation_month")),
    operatorMonth: micro(of("operator_month")),
  };
}

const DEFAULTS: { [key in keyof Budgets]?: number } = DEFAULT_BUDGETS;

function least(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** The strictest of some bounds in dollars, in micro-dollars; null when none is given. */
function micro(...dollars: (number | null | undefined)[]): number | null {
  const given = dollars.filter((each) => each !== null && each !== undefined);
  return given.length === 0 ? null : Math.round(Math.min(...given) * MICRO);
}
