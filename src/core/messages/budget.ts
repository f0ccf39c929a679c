import type { Budgets, RepoBudget } from "../budgets.ts";
import type { CapUse } from "../caps.ts";
import { endedShort, endWords } from "../goes-on.ts";
import type { Job } from "../job.ts";
import type { CapReached, Caps } from "../ledger.ts";
import { tableCell } from "../markdown.ts";
import { money } from "../money.ts";
import { shortId } from "../plan.ts";
import { sequel, sequelWords } from "./unfinished.ts";

const DAY = { again: "after midnight UTC" } as const;
const MONTH = { again: "next month (UTC)" } as const;
const NEVER = { again: null } as const;

interface Bound {
  /** What it bounds. */
  of: string;
  /** When there is money again; null: never by waiting. */
  again: string | null;
  /** Where it is set. */
  server: keyof Budgets;
  repository: keyof RepoBudget | null;
}

const CAP: Record<keyof Caps, Bound> = {
  call: { of: "one model call", server: "call", repository: null, ...NEVER },
  job: { of: "this job", server: "job", repository: "job", ...NEVER },
  command: { of: "this command", server: "command", repository: "command", ...NEVER },
  personDay: { of: "one person and day", server: "person_day", repository: null, ...DAY },
  repositoryDay: {
    of: "this repository and day",
    ...{ server: "repository_day", repository: "day", ...DAY },
  },
  repositoryMonth: {
    of: "this repository and month",
    ...{ server: "repository_month", repository: "month", ...MONTH },
  },
  installationMonth: {
    of: "this installation and month",
    ...{ server: "installation_month", repository: null, ...MONTH },
  },
  operatorMonth: {
    of: "this server and month",
    ...{ server: "operator_month", repository: null, ...MONTH },
  },
};

/** The cap that refused a call, as a job keeps it. */
export function capReached({ cap, spent, limit }: CapReached): CapReached {
  return { cap, spent, limit };
}

/** Why a call was not made, as a clause after "because". */
export function capWords({ cap, spent, limit }: CapReached): string {
  const { of, again } = CAP[cap];
  const used = spent === 0 ? "one call may cost more" : `${money(spent)} are spent or reserved`;
  const later = again === null || spent === 0 ? "" : `; there is more ${again}`;
  return `the budget of ${money(limit)} for ${of} is used up (${used})${later}`;
}

/** What a call waits for, after "waiting for": room under a cap that others hold. */
export function roomHeld({ cap, limit }: CapUse): string {
  return `room under the budget of ${money(limit)} for ${CAP[cap].of}, which calls under way hold`;
}

/** What is offered for a job that ran out of money, where it may cost as much. */
const OFFERED = 2_000_000;
const MICRO = 1_000_000;

/** How a stopped job goes on: by a command, or not before something else; that as a clause. */
export type HowToGoOn = { kind: "command"; command: string } | { kind: "in_vain"; why: string };

/**
 * The command by which a job goes on that was stopped; or why it would be stopped again at once, and what helps.
 * `digits` names the job.
 */
export function howToGoOn(job: Job, digits?: string): HowToGoOn {
  const plain = ["/codex continue", ...(digits === undefined ? [] : [digits])].join(" ");
  const command = (budget: number | null): HowToGoOn => ({
    kind: "command",
    command: budget === null ? plain : `${plain} --budget ${inDigits(budget)}`,
  });
  if (job.ending?.kind !== "cap") return command(null);
  const { by } = job.ending;
  if (by.cap === "job") {
    const most = reachOf(job);
    // Not one call fitted: it has to be allowed more than it was.
    if (by.spent === 0 && by.limit >= most) return inVain(job, by);
    return command(Number.isFinite(most) ? Math.min(OFFERED, most) : null);
  }
  // Another command has all of its own budget, whatever its jobs are given.
  if (by.cap === "command" && by.spent > 0) return command(null);
  return inVain(job, by);
}

/** What `--budget` can let a job like it spend; Infinity where nothing bounds it. */
function reachOf({ most, config }: Job): number {
  const { job = Number.POSITIVE_INFINITY } = config.budget;
  return Math.min(most ?? Number.POSITIVE_INFINITY, Math.round(job * MICRO));
}

function inVain(job: Job, { cap, spent, limit }: CapReached): HowToGoOn {
  const { of, again } = CAP[cap];
  const budget = `the budget of ${money(limit)} for ${of}`;
  const raised = whoRaises(job, cap, limit);
  const why =
    again === null || spent === 0
      ? `one call may cost more than ${budget}; it can go on once ${raised}`
      : `${budget} is used up; it can go on ${again}, or once ${raised}`;
  return { kind: "in_vain", why };
}

/** Who set a bound has to raise it: the repository where it is the stricter one, else the operator. */
function whoRaises({ config, skills }: Job, cap: keyof Caps, limit: number): string {
  const { server, repository } = CAP[cap];
  const is = (dollars: number | undefined) =>
    dollars !== undefined && Math.round(dollars * MICRO) === limit;
  const pin = skills?.pins.find(({ manifest }) => is(manifest?.limits.budget));
  if (cap === "job" && pin) return `its skill \`${pin.name}\` allows more`;
  if (repository !== null && is(config.budget[repository])) {
    return `\`budget.${repository}\` in \`.github/codex.yml\` is raised`;
  }
  return `the server's operator raises \`budgets.${server}\` in \`draftsmith.yml\``;
}

/**
 * How to let a job go on that was stopped at a limit, or that went on with another in vain; or who went on with
 * it (`later`). Nothing for any other job.
 */
export function howToContinue(job: Job, later: Job[]): string[] {
  const { id, number, state, publication } = job;
  const stands = state === "failed" && publication !== null;
  const short =
    state === "over_budget" || stands || (job.continues !== undefined && endedShort(job));
  if (!short) return [];
  const stopped = `Task ${number} ${state === "over_budget" ? "stopped at its limit" : endWords(job)}`;
  const then = sequel(job, later);
  if (then.kind !== "none") return ["", `${stopped}; ${sequelWords(then)}.`];
  const how = howToGoOn(job, shortId(id));
  if (how.kind === "in_vain")
    return ["", `${stopped}, and would be stopped again now: ${how.why}.`];
  const where = publication === null ? "here" : `on #${publication.pull}`;
  return ["", `${stopped}: comment \`${how.command}\` ${where} to let it go on.`];
}

/** Micro-dollars as `--budget` takes them. */
function inDigits(microDollars: number): string {
  return (microDollars / MICRO).toFixed(6).replace(/\.?0+$/, "");
}

/** What was left when an agent was stopped, by its own plan. */
export function leftToDo(open: string[]): string[] {
  if (open.length === 0) return [];
  return ["### Left to do", "", ...open.map((text) => `- [ ] ${tableCell(text)}`), ""];
}
