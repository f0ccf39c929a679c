import { codeSpan, fenced } from "../markdown.ts";
import type { ConfigProblem } from "../repo-config.ts";
import { wayKey } from "../request.ts";
import { nameText } from "./words.ts";

/** The hidden line by which the answer to one request is found again. */
export function answerMarker(request: Parameters<typeof wayKey>[0]): string {
  return `<!-- draftsmith:answer:${wayKey(request)} -->`;
}

/** Names that are listed: a repository may have hundreds. */
const MAX_NAMES = 100;

/**
 * How to write a command, with the skills that exist here: the server's, and the names of the repository's and
 * its organisation's; null where those could not be read, undefined where nobody asked. `notes`: what the
 * repository's configuration says in vain.
 */
export function usage(
  skills: readonly { name: string; description: string }[],
  maxTasks: number,
  own?: readonly string[] | null,
  notes: readonly string[] = [],
): string {
  return [
    "Write a command at the start of a line, in a new comment, a review, or the text of a new issue or pull request:",
    "",
    "```text",
    "/codex refactor auth",
    "",
    "/codex",
    "- first task",
    "- second task",
    "```",
    "",
    `Each task becomes one draft pull request, at most ${maxTasks} in one comment. On a pull request that Draftsmith opened, a task becomes a commit on its branch.`,
    "",
    "`/codex ask QUESTION` answers a question, `/codex plan TASK` plans a task; both change nothing. `/codex status`, alone in a comment, tells how everything stands that was asked for here; `/codex retry` begins what failed here anew, `/codex retry JOB` the one with these 8 digits; `/codex ready`, alone on a pull request of Draftsmith's, marks it ready for review.",
    "",
    "`/codex continue` goes on with the last task that stopped before its end: on its pull request, or where it was asked for when it has none. `/codex continue JOB` goes on with the one with these 8 digits; words after it are added to the task.",
    "",
    "`/codex stop`, alone in a comment, stops all jobs of the issue or pull request; `/codex stop JOB` the one with these 8 digits.",
    "",
    "`/codex allow JOB SHA`, alone in a comment, lets out a change that was held; only admins may.",
    "",
    "| Flag | Meaning |",
    "| --- | --- |",
    "| `--skill NAME` | work by this skill |",
    "| `--model NAME` | use this model |",
    "| `--effort LEVEL` | how hard it is to think, such as `high` |",
    "| `--budget DOLLARS` | spend at most this on each task |",
    "| `--base BRANCH` | start from this branch |",
    "| `--draft`, `--ready` | open the pull request as a draft (the default) or ready for review |",
    "",
    skills.length > 0 ? "Skills:" : "No skills are installed.",
    "",
    ...skills.map((skill) => `- ${codeSpan(skill.name)}: ${skill.description}`),
    ...(own === undefined ? [] : ownSkills(own)),
    ...(notes.length === 0
      ? []
      : ["", "Of `.github/codex.yml`:", "", ...notes.map((note) => `- ${note}.`)]),
  ].join("\n");
}

function ownSkills(names: readonly string[] | null): string[] {
  const whose = "of this repository and its organisation";
  if (names === null) return ["", `GitHub did not say which skills ${whose} there are.`];
  if (names.length === 0) return [];
  const more = names.length - MAX_NAMES;
  const listed = names.slice(0, MAX_NAMES).map((name) => codeSpan(nameText(name)));
  return ["", `And ${whose}: ${listed.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`];
}

/** One refusal; the reason is a clause, or sentences of its own. */
export function refusal(login: string, reason: string): string {
  const joint = /^\p{Lu}/u.test(reason) ? "." : ":";
  const stop = /[.!?]$/.test(reason) ? "" : ".";
  return `**${login}**, nothing was started${joint} ${reason}${stop}`;
}

/** Tells that no job can run here, with what the operator has to do. */
export function noSandbox(login: string, remedy: string): string {
  return [
    refusal(login, "this server has no working sandbox, and without one no job runs"),
    "",
    "For its operator:",
    "",
    fenced(remedy),
  ].join("\n");
}

/** What is wrong with `.github/codex.yml`, line by line. */
export function configProblems(problems: ConfigProblem[]): string {
  return [
    "Nothing was started: `.github/codex.yml` on the default branch has problems.",
    "",
    ...problems.map((problem) => `- line ${problem.line}: ${problem.message}`),
    "",
    "Mend the file and write the command again.",
  ].join("\n");
}
