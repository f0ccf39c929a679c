import { isTerminal, type Job, type JobThread } from "../job.ts";
import { codeSpan } from "../markdown.ts";
import { shortId } from "../plan.ts";
import { stateText } from "./board.ts";
import { shorten } from "./words.ts";

/** The hidden line by which the answer of a job in a thread is found again. */
export function threadMarker(jobId: string, thread: number): string {
  return `<!-- draftsmith:thread:${jobId}:${thread} -->`;
}

/** Whether what was asked in a thread stands on the branch that it speaks of. */
export function isDone({ target, publication, state }: Job, { answer }: JobThread): boolean {
  return (
    state === "done" && target.kind === "follow_up" && publication !== null && answer?.done === true
  );
}

/** What became of a thread, once its job has ended; null before that. */
export function renderThread(job: Job, thread: JobThread): string | null {
  const { id, state, publication, target, reason } = job;
  if (!isTerminal(state)) return null;
  const said = thread.answer?.text ?? "";
  const where =
    publication === null
      ? `${stateText(job)}: nothing was changed for this${reason === "" ? "" : ` (${codeSpan(shorten(reason, 200))})`}.`
      : target.kind === "follow_up"
        ? `In ${publication.headSha}:`
        : `In #${publication.pull}, a pull request onto this branch:`;
  const words =
    said !== ""
      ? said
      : publication === null
        ? ""
        : "the agent said nothing of this thread; look at the commit.";
  return [threadMarker(id, thread.id), where, words, `<sub>job \`${shortId(id)}\`</sub>`]
    .filter(Boolean)
    .join("\n\n");
}
