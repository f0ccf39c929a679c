import type { Caps, Reserved } from "../ledger.ts";
import { money } from "../money.ts";

/** What each cap bounds, and when there is money again. */
const CAP: Record<keyof Caps, { of: string; later: string }> = {
  call: { of: "one model call", later: "" },
  job: { of: "this job", later: "" },
  command: { of: "this command", later: "" },
  personDay: { of: "one person and day", later: "; there is more after midnight UTC" },
  repositoryDay: { of: "this repository and day", later: "; there is more after midnight UTC" },
  repositoryMonth: { of: "this repository and month", later: "; there is more next month" },
  installationMonth: { of: "this installation and month", later: "; there is more next month" },
  operatorMonth: { of: "this server and month", later: "; there is more next month" },
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
