import type { Caution, Job, VerifiedChange } from "../job.ts";
import { codeSpan, tableCell } from "../markdown.ts";
import { violationList } from "./held.ts";
import { count, nameText, shorten } from "./words.ts";

const MAX_WHY = 800;
/** Characters of one list, and of all lists of one later commit; what is longer is counted. */
const MAX_LIST = 5000;
const MAX_LATER = 1100;
/** Later commits whose lists are shown. */
const MAX_COMMITS = 3;

/**
 * What a pull request opens with: whose word let it out and what for, tests that may be weaker, files to
 * look at first. Each list has a blank line behind it; nothing is said when there is nothing to say.
 */
export function opening(job: Job, change: VerifiedChange, room = MAX_LIST): string[] {
  const { allowance } = job;
  const list = (head: string, items: string[]) => listed(head, items, room);
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
  const parts = followUps.flatMap((job) => {
    const { change, publication } = job;
    const lines = change === null ? [] : opening(job, change, MAX_LATER);
    if (publication === null || lines.length === 0) return [];
    return [[`In the later commit ${commitLink(job)}:`, "", ...lines]];
  });
  const earlier = parts.length - MAX_COMMITS;
  // The newest are those that nobody has seen yet.
  const shown = parts.slice(Math.max(0, earlier)).flat();
  if (earlier <= 0) return shown;
  return [...shown, `So do ${count(earlier, "commit")} before these; their boards name what.`, ""];
}

/** Its published commit, by which people find it; nothing before that. */
export function commitLink({ publication }: Job): string {
  if (publication === null) return "";
  const { headSha, url } = publication;
  return `[\`${headSha.slice(0, 7)}\`](${url}/commits/${headSha})`;
}

function line({ path, line: at, why }: Caution): string {
  const place = at === null ? "" : `, line ${at}`;
  return `- ${codeSpan(nameText(path))}${place}: ${tableCell(shorten(why, MAX_WHY))}`;
}

function listed(head: string, items: string[], room: number): string[] {
  if (items.length === 0) return [];
  const shown: string[] = [];
  let left = room;
  for (const item of items) {
    left -= item.length + 1;
    if (left < 0) break;
    shown.push(item);
  }
  const rest = items.length - shown.length;
  return [head, "", ...shown, ...(rest > 0 ? [`- and ${count(rest, "more place")}`] : []), ""];
}
