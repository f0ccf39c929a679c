import { type Budgets, capsOf } from "../core/budgets.ts";
import type { Job } from "../core/job.ts";
import type { Caps } from "../core/ledger.ts";

/** What a job may spend under each cap. */
export function capsOfJob(job: Pick<Job, "config" | "budget">, budgets: Budgets): Caps {
  return capsOf(budgets, job.config.budget, job.budget ?? null);
}
