import { isTerminal, type Job } from "../job.ts";
import { tableCell } from "../markdown.ts";
import { shortId } from "../plan.ts";
import { stateText } from "./board.ts";
import { cost, shorten } from "./words.ts";

/** Jobs that an answer lists, the newest first. */
const MOST = 20;

/** What was asked for on an issue or pull request, and how it stands. */
export function renderStatus(login: string, jobs: Job[]): string {
  if (jobs.length === 0) return `**${login}**, nothing was asked for here yet.`;
  const open = jobs.filter(({ state }) => !isTerminal(state)).length;
  const head = open === 0 ? "nothing is under way here" : `${open} of these are under way`;
  const shown = jobs.toReversed().slice(0, MOST);
  return [
    `**${login}**, ${head}.`,
    "",
    "| Job | Task | State | Cost | Pull request |",
    "| --- | --- | --- | --- | --- |",
    ...shown.map(row),
    ...(jobs.length > MOST ? ["", `And ${jobs.length - MOST} older ones.`] : []),
  ].join("\n");
}

function row(job: Job): string {
  const pull = job.publication === null ? "–" : `#${job.publication.pull}`;
  const task = tableCell(shorten(job.task, 120));
  return `| \`${shortId(job.id)}\` | ${task} | ${stateText(job)} | ${cost(job.spend)} | ${pull} |`;
}
