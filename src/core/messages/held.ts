import type { Job, VerifiedChange, Violation } from "../job.ts";
import { codeSpan, fenced, tableCell } from "../markdown.ts";
import { shortId } from "../plan.ts";
import { evidenceSection } from "./evidence.ts";
import { count, nameText } from "./words.ts";

const MAX_SHOWN = 3;

/** Why a change is held, in one line for a board and for the agent. */
export function heldReason(violations: Violation[]): string {
  const shown = violations.slice(0, MAX_SHOWN).map(plainViolation);
  const rest = violations.length - shown.length;
  return `the change is held until an admin allows it: ${shown.join("; ")}${rest > 0 ? `; and ${count(rest, "more reason")}` : ""}`;
}

/** What the agent is asked to undo. */
export function violationsForAgent(violations: Violation[]): string {
  return violations.map((violation) => `- ${plainViolation(violation)}`).join("\n");
}

function plainViolation({ path, reason }: Violation): string {
  return path === null ? reason : `${nameText(path)}: ${reason}`;
}

/** Violations as a Markdown list in which nothing acts. */
export function violationList(violations: Violation[]): string[] {
  return violations.map(({ path, reason }) =>
    path === null
      ? `- ${tableCell(reason)}`
      : `- ${codeSpan(nameText(path))}: ${tableCell(reason)}`,
  );
}

/** The command that lets a held change out. */
export function allowCommand(job: Job, change: VerifiedChange): string {
  return `/codex allow ${shortId(job.id)} ${change.commit}`;
}

/** Below the rows of a board, whatever else there is: how an admin lets a held change out. */
export function heldNotice(job: Job): string[] {
  const change = heldChange(job);
  if (change === null) return [];
  return [
    "",
    `**The change of task ${job.number} is held.** Somebody with admin access lets out exactly this change with a new comment here:`,
    "",
    fenced(allowCommand(job, change)),
  ];
}

/** Why a change is held, and what of it needs an admin's word. */
export function heldDetails(job: Job): string[] {
  const change = heldChange(job);
  if (change === null) return [];
  const excerpt = ["What of it needs that word:", "", fenced(change.excerpt, "diff"), ""];
  return [
    "",
    "It is held because:",
    "",
    ...violationList(change.violations),
    "",
    `<details><summary>What is held: ${count(change.files.length, "file")}</summary>`,
    "",
    ...(change.excerpt === "" ? [] : excerpt),
    ...evidenceSection(change, change.commit, job.config),
    "",
    "</details>",
  ];
}

/** The change that a job holds, if it does. */
export function heldChange({ state, change }: Job): VerifiedChange | null {
  return state === "blocked" && change !== null && change.violations.length > 0 ? change : null;
}
