import type { Command, Job, Spend, VerifiedChange } from "../job.ts";
import { codeSpan, fenced, tableCell } from "../markdown.ts";
import { money } from "../money.ts";
import { shortId } from "../plan.ts";
import { pinOrigin, pinText, type SkillPin } from "../skill.ts";
import { howToGoOn, leftToDo } from "./budget.ts";
import { evidenceSection, filesTable } from "./evidence.ts";
import { commitLink, laterOpenings, opening } from "./opening.ts";
import { routeText } from "./route.ts";
import { sourcesSection } from "./sources.ts";
import { finishedBy, type Standing, sequelWords, standing } from "./unfinished.ts";
import { askedIn, cost, count, MAX_TEXT, modelsOf, nameText } from "./words.ts";

const MAX_CONFLICTS = 5;

/** A sibling as the pull request of a job tells of it. */
export interface Neighbour {
  number: number;
  pull: number;
  conflicts: string[];
}

/** Whether every configured check passed. */
export function checksPass(change: VerifiedChange): boolean {
  return change.evidence.every((check) => check.exitCode === 0);
}

/** Body of a draft pull request: what was asked, what changed, and the proof. */
export function renderPull(facts: {
  command: Command;
  job: Job;
  change: VerifiedChange;
  headSha: string;
  neighbours: Neighbour[];
  /** Jobs that added commits to it later, or went on with one of these, oldest first. */
  later?: Job[];
}): string {
  const { command, job, change, headSha, neighbours, later = [] } = facts;
  const evidence = evidenceSection(change, headSha, job.config);
  const stands = standing(job, change, later);
  const first = firstLine(job, change, stands);
  const text = (shown: string[]) =>
    [
      `<!-- draftsmith:job:${job.id} -->`,
      // What does not hold is said before anything else.
      ...(checksPass(change) ? [] : [first, ""]),
      ...opening(job, change),
      ...laterOpenings(later),
      ...(checksPass(change) ? [first, ""] : []),
      "### Task",
      "",
      fenced(job.task),
      "",
      `Asked by **${command.actor.login}** ${askedIn(command)} (revision \`${command.revision}\`), built on ${codeSpan(job.target.base)} at \`${job.baseSha.slice(0, 12)}\`${job.skill && pinsOf(job).length === 0 ? `, with the skill ${codeSpan(job.skill)}` : ""}.`,
      ...skillLines(job),
      "",
      ...(job.sources ? [...sourcesSection(job.sources), ""] : []),
      ...(stands.kind === "whole" ? [] : leftToDo(stands.left)),
      "### What changed and why",
      "",
      change.summary || "The agent gave no summary.",
      "",
      ...filesTable(change.files),
      "",
      "### Evidence",
      "",
      ...shown,
      ...siblings(neighbours),
      "",
      "### Model and cost",
      "",
      spend(job),
      ...(job.route ? ["", `Chosen: ${routeText(job.route, job.skills?.pins)}.`] : []),
      "",
      "### How to go on",
      "",
      "- Comment `/codex <what to change>` here: it adds a commit to this branch.",
      ...goOn(stands),
      "- Review it like any pull request. A draft stays one until a person marks it ready.",
      "- Close it to drop the change; nothing else depends on it.",
    ].join("\n");
  const whole = text(evidence);
  // The outputs are the longest part, and the only one that can be done without.
  const tables = evidence.filter((line) => line === "" || line.startsWith("|"));
  return whole.length > MAX_TEXT ? text(tables) : whole;
}

/** A check run: what a pull request says of its checks, in the words of GitHub's checks. */
export function renderCheckRun(job: Job, change: VerifiedChange, headSha: string) {
  const failed = change.evidence.filter((check) => check.exitCode !== 0).length;
  const total = change.evidence.length;
  const evidence = evidenceSection(change, headSha, job.config);
  const whole = evidence.join("\n");
  const tables = evidence.filter((line) => line === "" || line.startsWith("|")).join("\n");
  const summary = whole.length > MAX_TEXT ? tables : whole;
  if (total === 0) return { conclusion: "neutral", title: "No checks were run", summary } as const;
  if (failed > 0) {
    const title = `${failed} of ${count(total, "check")} failed`;
    return { conclusion: "failure", title, summary } as const;
  }
  const title = total === 1 ? "The check passed" : `All ${total} checks passed`;
  return { conclusion: "success", title, summary } as const;
}

/** How what is left can be finished, where nobody is at it. */
function goOn(stands: Standing): string[] {
  if (stands.kind !== "unfinished") return [];
  const { job, since } = stands;
  if (since.kind === "under_way" || since.kind === "held") return [];
  // The newest that was stopped; by its digits where another one could be meant.
  const how = since.kind === "none" ? howToGoOn(job) : howToGoOn(since.by, shortId(since.by.id));
  return how.kind === "command"
    ? [`- Comment \`${how.command}\` here to let it finish what is left.`]
    : [`- To let it finish what is left would be in vain now: ${how.why}.`];
}

/** Whether the agent was stopped, and what became of that. */
function limitLine(stands: Standing): string {
  if (stands.kind === "whole") return "";
  if (stands.kind === "finished") {
    const { by } = stands;
    const failing = by.change === null || checksPass(by.change) ? "" : ", **with failing checks**";
    return `The agent was stopped at a limit first; ${finishedBy(stands)}${failing}. `;
  }
  const { change, limit, later, job, since } = stands;
  const agent = later ? `The agent of the later commit ${commitLink(job)}` : "The agent";
  const sequel = since.kind === "none" ? "" : `; ${sequelWords(since)}`;
  // Of a cap the words are ours; else a model or its server may have said them.
  const why = change.outOfBudget ? limit : tableCell(limit);
  return `${change.outOfBudget ? "💸 **Out of budget.**" : "⚠️"} ${agent} was stopped because ${why}; the work may be unfinished${sequel}. `;
}

function firstLine(job: Job, change: VerifiedChange, stands: Standing): string {
  const limit = limitLine(stands);
  if (job.config.checks.length === 0) return `${limit}**No checks were run**: none are configured.`;
  const failed = change.evidence.filter((check) => check.exitCode !== 0).length;
  const total = change.evidence.length;
  if (failed > 0) {
    return `${limit}⚠️ **${failed} of ${count(total, "check")} failed.** See the evidence below.`;
  }
  return `${limit}✅ **${total === 1 ? "The check" : `All ${total} checks`} passed** on a clean checkout.`;
}

function siblings(neighbours: Neighbour[]): string[] {
  if (neighbours.length === 0) return [];
  return [
    "",
    "### Pull requests of the same command",
    "",
    ...neighbours.map((neighbour) =>
      neighbour.conflicts.length === 0
        ? `- #${neighbour.pull} (task ${neighbour.number}) merges cleanly with this one.`
        : `- ⚠️ #${neighbour.pull} (task ${neighbour.number}) conflicts with this one on ${conflictsOf(neighbour)}.`,
    ),
  ];
}

function conflictsOf({ conflicts }: Neighbour): string {
  const shown = conflicts.slice(0, MAX_CONFLICTS).map((file) => codeSpan(nameText(file)));
  const rest = conflicts.length - shown.length;
  return `${shown.join(", ")}${rest > 0 ? ` and ${count(rest, "more file")}` : ""}`;
}

function spend(job: Job): string {
  const { steps, inputTokens, cachedTokens, outputTokens } = job.spend;
  return [
    modelsOf(job),
    count(steps, "step"),
    `${inputTokens} tokens in (${cachedTokens} cached), ${outputTokens} out`,
    priced(job.spend),
  ].join(" · ");
}

function priced(spend: Spend): string {
  if (spend.microDollars === null) return "cost unknown: no list price for this model";
  if (spend.unpriced && spend.microDollars === 0) return "unpriced: its calls are not counted";
  if (spend.unpriced) return `${money(spend.microDollars)} at list price, and calls that have none`;
  return `${cost(spend)} at list price`;
}

/** Each skill the job worked by, as it was pinned. */
function skillLines(job: Job): string[] {
  const by = { flag: "asked for", first_word: "named by the task", model: "chosen by the agent" };
  return pinsOf(job).flatMap((pin) => {
    const over =
      pin.instead.length > 0 ? ` (in place of the ${pin.instead.join(" and ")} one)` : "";
    return [
      "",
      `Worked by the skill ${codeSpan(pinText(pin))} ${pinOrigin(pin)}${over}, ${by[pin.by]}.`,
    ];
  });
}

function pinsOf({ skills }: Job): SkillPin[] {
  return skills?.pins ?? [];
}

/** Message of the commit, with trailers for its skills and the person who asked. `host` is GitHub's web host. */
export function commitMessage(
  change: { title: string; summary: string },
  actor: Command["actor"],
  host: string,
  pins: readonly SkillPin[] = [],
): string {
  const noreply = `${actor.id}+${actor.login}@users.noreply.${host}`;
  const body = change.summary ? `\n\n${change.summary}` : "";
  const skills = pins.map((pin) => `Skill: ${pinText(pin)}\n`).join("");
  return `${change.title}${body}\n\n${skills}Co-authored-by: ${actor.login} <${noreply}>\n`;
}
