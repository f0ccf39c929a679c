import type { Command, Job } from "../job.ts";
import { codeSpan, tableCell } from "../markdown.ts";
import { shortId } from "../plan.ts";
import { askedIn, shorten } from "./words.ts";

/** The hidden line by which the comment with the result of a job is found again. */
export function resultMarker(jobId: string): string {
  return `<!-- draftsmith:result:${jobId} -->`;
}

/** The result of a job that only reads: its agent's words, and under them whose question it was. */
export function renderResult(
  job: Job,
  command: Command,
  { text, why }: { text: string; why: string | null },
): string {
  return [
    resultMarker(job.id),
    ...(why === null
      ? []
      : [`⚠️ The agent was stopped because ${tableCell(why)}; this may be unfinished.`, ""]),
    text,
    "",
    `<sub>For ${codeSpan(shorten(job.task, 100))}, asked by **${command.actor.login}** ${askedIn(command)}; looked at ${codeSpan(job.target.base)} at \`${job.baseSha.slice(0, 12)}\`, job \`${shortId(job.id)}\`. Nothing was changed.</sub>`,
  ].join("\n");
}
