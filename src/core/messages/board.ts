import type { Command, Job, JobState, PlanItem, Spend } from "../job.ts";
import { isTerminal } from "../job.ts";
import { codeSpan, fenced, tableCell } from "../markdown.ts";
import { evidenceSection, filesTable } from "./evidence.ts";

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
  in_progress: "[ ]",
  done: "[x]",
};

/** Characters of a reason or last action that a row shows. */
const MAX_WORDS = 200;

/** The hidden line by which the board of a command is found again. */
export function boardMarker(commandId: string): string {
  return `<!-- draftsmith:board:${commandId} -->`;
}

/** The one status comment of a command: a row per job, details folded below. */
export function renderBoard(command: Command, jobs: Job[]): string {
  const running = jobs.filter((job) => !isTerminal(job.state)).length;
  const head =
    running > 0
      ? `**Draftsmith** works on ${count(jobs.length, "task")}`
      : `**Draftsmith** is done with ${count(jobs.length, "task")}`;
  return [
    boardMarker(command.id),
    `${head}, asked by **${tableCell(command.actor.login)}** in [this comment](${command.commentUrl}) (revision \`${command.revision}\`).`,
    "",
    "| # | Task | State | Model | Cost | Last |",
    "| --- | --- | --- | --- | --- | --- |",
    ...jobs.map(row),
    ...jobs.flatMap(details),
    "",
    ...(command.cleaned
      ? ["Characters that people cannot see were taken out of the tasks.", ""]
      : []),
    running > 0
      ? "This comment is updated while the work goes on."
      : "Comment `/codex <what to change>` on a draft pull request to go on with it.",
  ].join("\n");
}

function row(job: Job): string {
  const cells = [
    String(job.number),
    tableCell(shorten(job.task, 120)),
    state(job),
    codeSpan(job.model),
    cost(job.spend),
    result(job),
  ];
  return `| ${cells.join(" | ")} |`;
}

function state(job: Job): string {
  if (job.state === "running" && job.spend.steps > 0)
    return `${FACE.running}, step ${job.spend.steps}`;
  if (job.state === "done" && job.change?.evidence.some((check) => check.exitCode !== 0)) {
    return "⚠️ done, checks fail";
  }
  return FACE[job.state];
}

function result(job: Job): string {
  const conflicts = job.conflicts.map(
    (conflict) =>
      `conflicts with task ${conflict.job} on ${conflict.files.slice(0, 3).map(codeSpan).join(", ")}`,
  );
  const where = job.publication ? [publicationLink(job)] : [];
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
  const body: string[] = [];
  if (job.plan.length > 0) {
    body.push("", ...job.plan.map((item) => `- ${TICK[item.status]} ${tableCell(item.text)}`));
  }
  // The row has room for one line of it.
  if (isTerminal(job.state) && shorten(job.reason, MAX_WORDS) !== job.reason.trim()) {
    body.push("", fenced(job.reason));
  }
  if (job.target.kind === "follow_up" && job.publication && job.change) {
    body.push("", job.change.summary, "", ...filesTable(job.change.files));
    body.push("", ...evidenceSection(job.change.evidence, job.publication.headSha, job.config));
  }
  if (body.length === 0) return [];
  const label = `Task ${job.number}: ${shorten(job.task.replace(/[<>&]/g, ""), 80)}`;
  return ["", `<details><summary>${label}</summary>`, ...body, "", "</details>"];
}

/** Money for a person: dollars with enough digits, or that the price is not known. */
export function cost(spend: Spend): string {
  if (spend.steps === 0) return "–";
  if (spend.microDollars === null) return "price unknown";
  return `$${(spend.microDollars / 1_000_000).toFixed(spend.microDollars < 100_000 ? 4 : 2)}`;
}

/** "1 task", "3 tasks". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** First line of a text, cut to `max` characters with an ellipsis. */
function shorten(text: string, max: number): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  const characters = [...line];
  return characters.length > max ? `${characters.slice(0, max - 1).join("")}…` : line;
}
