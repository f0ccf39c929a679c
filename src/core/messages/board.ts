import { estimateWords } from "../estimate.ts";
import type { Command, Job, JobState, PlanItem } from "../job.ts";
import { isTerminal } from "../job.ts";
import { codeSpan, fenced, tableCell } from "../markdown.ts";
import { money } from "../money.ts";
import { shortId } from "../plan.ts";
import { stopAsked } from "../stopped.ts";
import { howToContinue } from "./budget.ts";
import { evidenceSection, filesTable } from "./evidence.ts";
import { heldChange, heldDetails, heldNotice, heldReason } from "./held.ts";
import { opening } from "./opening.ts";
import { routeText } from "./route.ts";
import { sourcesSection } from "./sources.ts";
import { askedIn, cost, count, MAX_TEXT, modelsOf, nameText, shorten } from "./words.ts";

const FACE: Record<JobState, string> = {
  queued: "⏳ queued",
  running: "🔧 running",
  verifying: "🧪 verifying",
  publishing: "📤 publishing",
  done: "✅ done",
  no_change: "➖ no change",
  blocked: "⛔ blocked",
  over_budget: "💸 over budget",
  failed: "❌ failed",
  cancelled: "🚫 cancelled",
};

const TICK: Record<PlanItem["status"], string> = {
  pending: "[ ]",
  in_progress: "[ ] 🔧",
  done: "[x]",
};

/** Room for details below the rows; 20 rows with all they may show take less than the rest. */
const MAX_DETAILS = MAX_TEXT - 25_000;

/** Characters of a reason or last action that a row shows. */
const MAX_WORDS = 200;

/** The hidden line by which the board of a command is found again. */
export function boardMarker(commandId: string): string {
  return `<!-- draftsmith:board:${commandId} -->`;
}

/**
 * The one status comment of a command: a row per job, details folded below. `later`: jobs that went on with one
 * of them, oldest first.
 */
export function renderBoard(command: Command, jobs: Job[], later: Job[] = []): string {
  const running = jobs.filter((job) => !isTerminal(job.state)).length;
  const head =
    running > 0
      ? `**Draftsmith** works on ${count(jobs.length, "task")}`
      : `**Draftsmith** is done with ${count(jobs.length, "task")}`;
  const folded = fitting(
    jobs.map((job) => [...heldDetails(job), ...details(job)]),
    MAX_DETAILS,
  );
  return [
    boardMarker(command.id),
    `${head}, asked by **${tableCell(command.actor.login)}** ${askedIn(command)} (revision \`${command.revision}\`).`,
    "",
    "| # | Task | State | Model | Cost | Last |",
    "| --- | --- | --- | --- | --- | --- |",
    ...jobs.map(row),
    ...jobs.flatMap((job, at) => [...heldNotice(job), ...(folded[at] ?? [])]),
    "",
    ...(command.cleaned
      ? ["Characters that people cannot see were taken out of the tasks.", ""]
      : []),
    ...noted(jobs.flatMap(({ notes = [] }) => notes)),
    running > 0
      ? `This comment is updated while the work goes on. ${howToStop(jobs)}`
      : "Comment `/codex <what to change>` on a draft pull request to go on with it.",
    ...jobs.flatMap((job) => howToContinue(job, later)),
  ].join("\n");
}

/** What the repository's configuration says in vain. */
function noted(notes: string[]): string[] {
  if (notes.length === 0) return [];
  return ["Of `.github/codex.yml`:", "", ...notes.map((note) => `- ${note}.`), ""];
}

/** Which words end the work, with the digits that tell one task from the others. */
function howToStop(jobs: Job[]): string {
  const open = jobs.filter((job) => !isTerminal(job.state));
  if (open.length < 2) return "`/codex stop` ends it.";
  const each = open.map((job) => `${job.number} by \`/codex stop ${shortId(job.id)}\``);
  return `\`/codex stop\` ends it all; single tasks: ${each.join(", ")}.`;
}

/** Leaves out the longest details until the rest fits; a board that GitHub refuses would tell nothing. */
function fitting(details: string[][], max: number): string[][] {
  const size = (lines: string[]) => lines.join("\n").length;
  const kept = [...details];
  while (kept.reduce((sum, lines) => sum + size(lines), 0) > max) {
    const longest = kept.reduce((at, lines, i) => (size(lines) > size(kept[at] ?? []) ? i : at), 0);
    kept[longest] = ["", `Task ${longest + 1}: the details are too long to show here.`];
  }
  return kept;
}

function row(job: Job): string {
  const cells = [
    String(job.number),
    tableCell(shorten(job.task, 120)),
    stateText(job),
    modelsOf(job),
    cost(job.spend),
    result(job),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The state of a job, as tables tell it. */
export function stateText(job: Job): string {
  if (job.stop !== null && !isTerminal(job.state))
    return `🛑 stopping, ${tableCell(stopAsked(job.stop))}`;
  if (job.state === "running" && job.spend.steps > 0)
    return `${FACE.running}, step ${job.spend.steps}`;
  if (job.state === "done" && job.change?.evidence.some((check) => check.exitCode !== 0)) {
    return "⚠️ done, checks fail";
  }
  if (job.state === "queued" && typeof job.ahead === "number") {
    return job.ahead === 0 ? `${FACE.queued}, next` : `${FACE.queued}, ${job.ahead} before it`;
  }
  return FACE[job.state];
}

function result(job: Job): string {
  const conflicts = job.conflicts.map(
    (conflict) =>
      `conflicts with task ${conflict.job} on ${conflict.files
        .slice(0, 3)
        .map((file) => codeSpan(nameText(file)))
        .join(", ")}`,
  );
  const answered = job.target.kind === "answer" && job.state === "done";
  const where = job.publication ? [publicationLink(job)] : answered ? ["answered below"] : [];
  const words = isTerminal(job.state) ? job.reason : job.lastAction;
  const said = words && job.state !== "done" ? [tableCell(shorten(words, MAX_WORDS))] : [];
  return [...where, ...said, ...conflicts].join("; ") || "–";
}

function publicationLink(job: Job): string {
  const { publication, target } = job;
  if (!publication) return "";
  if (target.kind === "follow_up") {
    return `[commit \`${publication.headSha.slice(0, 7)}\`](${publication.url}/commits/${publication.headSha})`;
  }
  return `#${publication.pull}${publication.draft ? " (draft)" : ""}`;
}

function details(job: Job): string[] {
  const body = [...means(job)];
  if (job.plan.length > 0) {
    body.push("", ...job.plan.map((item) => `- ${TICK[item.status]} ${tableCell(item.text)}`));
  }
  // The row has room for one line of it.
  const short = shorten(job.reason, MAX_WORDS) === job.reason.trim();
  if (isTerminal(job.state) && !short && !toldByList(job)) {
    body.push("", fenced(job.reason));
  }
  if (job.target.kind === "follow_up" && job.publication && job.change) {
    body.push("", ...opening(job, job.change), job.change.summary);
    body.push("", ...filesTable(job.change.files));
    body.push("", ...evidenceSection(job.change, job.publication.headSha, job.config));
  }
  body.push(...toldToAgent(job));
  if (body.length === 0) return [];
  return ["", `<details><summary>Task ${job.number}</summary>`, ...body, "", "</details>"];
}

/** What it works with and what that may cost. */
function means({ route, skills, estimate, budget }: Job): string[] {
  return [
    ...(route ? ["", `- Model: ${routeText(route, skills?.pins)}`] : []),
    ...(budget === undefined ? [] : [`- Budget: ${money(budget)}`]),
    ...(estimate ? [`- Expected cost: ${estimateWords(estimate, estimate.alike)}`] : []),
  ];
}

/** What the agent read, where no pull request of its own says it; of work without a result only what was kept from it. */
function toldToAgent({ sources, state, target, publication }: Job): string[] {
  if (sources === null || !isTerminal(state)) return [];
  if (publication && target.kind === "new_pull") return [];
  const whole = sources.leftOut.length === 0 && sources.stripped.length === 0;
  return whole && !publication ? [] : ["", ...sourcesSection(sources)];
}

/** Whether the list of what holds a change says all that the reason does. */
function toldByList(job: Job): boolean {
  const held = heldChange(job);
  return held !== null && job.reason === heldReason(held.violations);
}
