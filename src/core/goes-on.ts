import { MAX_TASK } from "./command.ts";
import type { Flags } from "./command-flags.ts";
import type { Job } from "./job.ts";
import { shorten } from "./messages/words.ts";
import { shortId } from "./plan.ts";
import { NO_SKILL } from "./skill.ts";
import { visibleTitle } from "./visible/text.ts";

/** Items of its plan that the next agent is told, and characters of each. */
const MAX_ITEMS = 30;
const MAX_ITEM = 200;
/** Characters of a task that one line shows whole. */
const MAX_LINE = 100;

const ENDED: { [state in Job["state"]]?: string } = {
  over_budget: "stopped at a limit before its end",
  failed: "failed",
  cancelled: "was stopped by a person",
  blocked: "could not publish what it made",
};

/** Whether a job ended without having done its task. */
export function endedShort({ state, change, ending }: Job): boolean {
  return (
    state === "over_budget" ||
    state === "failed" ||
    state === "cancelled" ||
    // What is held waits for the word of an admin.
    (state === "blocked" && change === null) ||
    (state === "no_change" && ending?.kind === "declined")
  );
}

/** How such a job ended, as a clause of which it is the subject. */
export function endWords({ state, ending }: Job): string {
  if (ending?.kind === "declined") return "was declined by the model";
  return ENDED[state] ?? "has ended";
}

/** The task of a job, with all words that were added to it when it was gone on with. */
export function taskSoFar({ task, continues }: Job): string {
  return continues?.task ?? task;
}

/** A task and the words that are added to it; null when that is longer than a task may be. */
export function joined(task: string, words: string): string | null {
  const text = [task, words].filter(Boolean).join("\n\n");
  return text.length > MAX_TASK ? null : text;
}

/**
 * What the agent is told that goes on with a job on its branch: the task, what its plan has left (`open`), and
 * the words added now. What is too long is cut in the plan, then in the task; null when the words leave no room.
 */
export function goOnText(job: Job, open: string[], words: string): string | null {
  const task = taskSoFar(job);
  const items = open.slice(0, MAX_ITEMS).map((item) => shorten(visibleTitle(item).text, MAX_ITEM));
  const text = (whole: string, shown: string[]) => written(job, { whole, shown, open, words });
  while (items.length > 0 && text(task, items).length > MAX_TASK) items.pop();
  const excess = text(task, items).length - MAX_TASK;
  if (excess <= 0) return text(task, items);
  const cut = text(`${task.slice(0, Math.max(0, task.length - excess - 1))}…`, items);
  return cut.length > MAX_TASK ? null : cut;
}

function written(
  job: Job,
  { whole, shown, open, words }: { whole: string; shown: string[]; open: string[]; words: string },
): string {
  const line = shorten(whole, MAX_LINE);
  const more = open.length - shown.length;
  return [
    // With its colon no name of a skill, which the first word of a task may be.
    `Continue: ${line}`,
    `Job ${shortId(job.id)} did part of this task and ${endWords(job)}. What was published so far is on this branch: look at what is there, and do what is left.`,
    ...(line === whole ? [] : [`The whole task:\n\n${whole}`]),
    ...(open.length === 0
      ? []
      : [
          [
            "Left to do by the plan of that job:\n",
            ...shown.map((item) => `- ${item}`),
            ...(more > 0 ? [`- and ${more} more`] : []),
          ].join("\n"),
        ]),
    ...(words === "" ? [] : [`Added now:\n\n${words}`]),
  ].join("\n\n");
}

/** What a person set for a job, as the flags that would set it again; `onIssue`: it may start from another branch. */
export function flagsOf(job: Job, { onIssue }: { onIssue: boolean }): Flags {
  const { target, route } = job;
  const [first] = route?.choices ?? [];
  const named = route?.rule === "--model" && first !== undefined;
  const wanted = route?.effort ?? (named ? (first.effort ?? undefined) : undefined);
  return {
    ...(named && { model: first.model }),
    ...(wanted !== undefined && { effort: wanted }),
    ...(target.kind === "new_pull" && { draft: target.draft }),
    ...(target.kind === "new_pull" && onIssue && { base: target.base }),
  };
}

/** The skill that a person gave a job, and how; null when nobody did. */
export function skillGiven(job: Job): { skill: string; by: NonNullable<Job["skillBy"]> } | null {
  if (job.skillBy === "none") return { skill: NO_SKILL, by: "none" };
  const first = /^\S+/.exec(job.task)?.[0].toLowerCase();
  if (job.skill !== null) {
    return { skill: job.skill, by: job.skillBy ?? (job.skill === first ? "first_word" : "flag") };
  }
  // Of the repository: its name was known only once the job began.
  const pin = job.skills?.pins.find(({ by }) => by !== "model");
  if (pin === undefined || pin.by === "model") return null;
  return { skill: pin.name, by: pin.by };
}
