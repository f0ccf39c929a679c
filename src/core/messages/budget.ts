import type { CapUse } from "../caps.ts";
import type { Job } from "../job.ts";
import type { Caps } from "../ledger.ts";
import { tableCell } from "../markdown.ts";
import { money } from "../money.ts";
import { shortId } from "../plan.ts";

const TOMORROW = "; there is more after midnight UTC";
const NEXT_MONTH = "; there is more next month";

const ONE_CALL = "one call may cost more";

/** What each cap bounds, and when there is money again. */
const CAP: Record<keyof Caps, { of: string; later: string }> = {
  call: { of: "one model call", later: "" },
  job: { of: "this job", later: "" },
  command: { of: "this command", later: "" },
  personDay: { of: "one person and day", later: TOMORROW },
  repositoryDay: { of: "this repository and day", later: TOMORROW },
  repositoryMonth: { of: "this repository and month", later: NEXT_MONTH },
  installationMonth: { of: "this installation and month", later: NEXT_MONTH },
  operatorMonth: { of: "this server and month", later: NEXT_MONTH },
};

/** Why a call was not made, as a clause after "because". */
export function capReached({ cap, spent, limit }: CapUse): string {
  const { of, later } = CAP[cap];
  const used = spent === 0 ? ONE_CALL : `${money(spent)} are spent or reserved`;
  return `the budget of ${money(limit)} for ${of} is used up (${used})${later}`;
}

/** What a call waits for, after "waiting for": room under a cap that others hold. */
export function roomHeld({ cap, limit }: CapUse): string {
  return `room under the budget of ${money(limit)} for ${CAP[cap].of}, which calls under way hold`;
}

/** What is offered for a job that ran out of money, where it may cost as much. */
const OFFERED = 2_000_000;

/**
 * The command by which a job goes on that was stopped at `limit`, as its reason tells it; null where that would
 * be in vain: no money is left for a while, or what one call costs is too much. `digits` names the job.
 */
export function continueCommand(
  { budget, most }: Pick<Job, "budget" | "most">,
  limit: string,
  digits?: string,
): string | null {
  const command = ["/codex continue", ...(digits === undefined ? [] : [digits])].join(" ");
  const [cap] =
    Object.entries(CAP).find(([, { of }]) => limit.includes(` for ${of} is used up`)) ?? [];
  if (cap === undefined) return command;
  if (cap !== "job" && cap !== "command") return null;
  // Not one call fitted: it has to be allowed more than it was.
  const more = cap === "job" && budget !== undefined && budget < (most ?? Number.POSITIVE_INFINITY);
  if (limit.includes(ONE_CALL) && !more) return null;
  if (typeof most !== "number") return command;
  return `${command} --budget ${inDigits(Math.min(OFFERED, most))}`;
}

/** How to let a job go on that was stopped at a limit of its own; nothing where that would be in vain. */
export function howToContinue(job: Job): string[] {
  const { id, number, state, reason, publication } = job;
  const command =
    state === "over_budget" ? continueCommand(job, job.change?.limit ?? reason, shortId(id)) : null;
  if (command === null) return [];
  const where = publication === null ? "here" : `on #${publication.pull}`;
  return [
    "",
    `Task ${number} stopped at its limit: comment \`${command}\` ${where} to let it go on.`,
  ];
}

/** Micro-dollars as `--budget` takes them. */
function inDigits(microDollars: number): string {
  return (microDollars / 1_000_000).toFixed(6).replace(/\.?0+$/, "");
}

/** What was left when an agent was stopped, by its own plan. */
export function leftToDo({ plan }: Job): string[] {
  const open = plan.filter(({ status }) => status !== "done");
  if (open.length === 0) return [];
  return ["### Left to do", "", ...open.map(({ text }) => `- [ ] ${tableCell(text)}`), ""];
}
