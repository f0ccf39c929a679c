import type { AgentOutcome } from "../agents/outcome.ts";
import { parseReport } from "../agents/prompt.ts";
import type { Command, Job, JobThread } from "../core/job.ts";
import { safeMarkdown, safePlainText, titleLine } from "../core/markdown.ts";
import { commitMessage } from "../core/messages/pull.ts";
import { stripInvisible } from "../core/redact.ts";
import { type ThreadAnswer, takeAnswers } from "../core/thread-answers.ts";

/** Characters of an agent's words that are kept as the reason of an ending: of a review they are all there is. */
const MAX_WORDS = 8000;

/** An agent's report as it goes to GitHub. */
interface Words {
  title: string;
  /** Safe Markdown. */
  summary: string;
  /** The whole commit message. */
  message: string;
  /** The threads it had to answer, with its answers as safe Markdown; absent for none. */
  threads?: JobThread[];
  /** Every form of it that leaves, and what it was made of. */
  all: string[];
}

/** The agent's own words, safe for a commit and for a pull request. `host` is GitHub's web host. */
export function wordsOf(
  outcome: AgentOutcome,
  job: Job,
  actor: Command["actor"],
  host: string,
): Words {
  const parted = takeAnswers(outcome.report);
  const report = parseReport(job.threads ? parted.rest : outcome.report);
  const title =
    titleLine(report.title) || titleLine(job.task) || `Task ${job.number} of #${job.issue}`;
  const summary = safeMarkdown(report.summary, { maxLength: 8000 });
  const plain = safePlainText(report.summary, { maxLength: 8000 });
  const message = commitMessage({ title, summary: plain }, actor, host, job.skills?.pins);
  return {
    title,
    ...(job.threads && { threads: answered(job.threads, parted.answers) }),
    summary,
    message,
    all: [stripInvisible(outcome.report), title, summary, message],
  };
}

/** A model's words as they are; the board shows them where nothing in them acts. */
export function said(words: string): string {
  const text = stripInvisible(words).trim();
  return text.length > MAX_WORDS ? `${text.slice(0, MAX_WORDS)}…` : text;
}

function answered(threads: JobThread[], answers: Map<number, ThreadAnswer>): JobThread[] {
  return threads.map(({ id, node }, at) => {
    const answer = answers.get(at + 1);
    if (answer === undefined) return { id, node };
    const text = safeMarkdown(answer.text, { maxLength: MAX_WORDS });
    return { id, node, answer: { ...answer, text } };
  });
}
