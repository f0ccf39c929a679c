import type { Job } from "../job.ts";
import type { Caps, Reserved } from "../ledger.ts";
import { tableCell } from "../markdown.ts";
import { money } from "../money.ts";
import { shortId } from "../plan.ts";

const TOMORROW = "; there is more after midnight UTC";
const NEXT_MONTH = "; there is more next month";

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
export function capReached({
  cap,
  spent,
  limit,
}: Extract<Reserved, { status: "refused" }>): string {
  const { of, later } = CAP[cap];
  const used = spent === 0 ? "one call may cost more" : `${money(spent)} are spent or reserved`;
  return `the budget of ${money(limit)} for ${of} is used up (${used})${later}`;
}

/** How to let a job go on that was stopped at a limit of its own; nothing where that would be in vain. */
export function howToContinue({ id, number, state, reason, publication }: Job): string[] {
  if (state !== "over_budget" || [TOMORROW, NEXT_MONTH].some((later) => reason.includes(later))) {
    return [];
  }
  const words =
    publication === null
      ? `\`/codex continue ${shortId(id)} --budget 2\` here`
      : `\`/codex continue --budget 2\` on #${publication.pull}`;
  return ["", `Task ${number} stopped at its limit: comment ${words} to let it go on.`];
}

/** What was left when an agent was stopped, by its own plan. */
export function leftToDo({ plan }: Job): string[] {
  const open = plan.filter(({ status }) => status !== "done");
  if (open.length === 0) return [];
  return ["### Left to do", "", ...open.map(({ text }) => `- [ ] ${tableCell(text)}`), ""];
}
