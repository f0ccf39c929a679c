import type { Caution, Job, VerifiedChange } from "../job.ts";
import { codeSpan, tableCell } from "../markdown.ts";
import { violationList } from "./held.ts";
import { count, shorten } from "./words.ts";

const MAX_PATH = 150;
const MAX_WHY = 900;
/** Characters of one list; what is longer is counted. */
const MAX_LIST = 12_000;

/**
 * What a pull request opens with: whose word let it out and what for, tests that may be weaker, files to
 * look at first. Each list has a blank line behind it; nothing is said when there is nothing to say.
 */
export function opening(job: Job, change: VerifiedChange): string[] {
  const { allowance } = job;
  const of = (kind: Caution["kind"]) => change.cautions.filter((caution) => caution.kind === kind);
  return [
    ...(allowance?.commit === change.commit && change.violations.length > 0
      ? list(
          `⚠️ **${tableCell(allowance.actor.login)} (admin) allowed this**; without that word it would not have left, because:`,
          violationList(change.violations),
        )
      : []),
    ...list("⚠️ **Tests may be weaker than before.** Look at:", of("weakened_test").map(line)),
    ...list("**Look at these first:**", of("shown_first").map(line)),
  ];
}

/** The same for commits that were added later. */
export function laterOpenings(followUps: Job[]): string[] {
  return followUps.flatMap((job) => {
    const { change, publication } = job;
    const lines = change === null ? [] : opening(job, change);
    if (publication === null || lines.length === 0) return [];
    const link = `[\`${publication.headSha.slice(0, 7)}\`](${publication.url}/commits/${publication.headSha})`;
    return [`In the later commit ${link}:`, "", ...lines];
  });
}

function line({ path, line: at, why }: Caution): string {
  const place = at === null ? "" : `, line ${at}`;
  return `- ${codeSpan(shorten(path, MAX_PATH))}${place}: ${tableCell(shorten(why, MAX_WHY))}`;
}

function list(head: string, items: string[]): string[] {
  if (items.length === 0) return [];
  const shown: string[] = [];
  let left = MAX_LIST;
  for (const item of items) {
    left -= item.length + 1;
    if (left < 0) break;
    shown.push(item);
  }
  const rest = items.length - shown.length;
  return [head, "", ...shown, ...(rest > 0 ? [`- and ${count(rest, "more place")}`] : []), ""];
}
