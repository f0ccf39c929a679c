import { cut } from "../agents/fence.ts";
import type { Thread } from "../agents/prompt.ts";
import { parseCommand } from "../core/command.ts";
import type { Command, Job } from "../core/job.ts";
import type { GitHub } from "../core/ports.ts";
import type { ReviewThread } from "../core/review-thread.ts";
import type { Stripped } from "../core/sources.ts";
import { visibleMarkdown, visibleSource } from "../core/visible/text.ts";
import type { Authors } from "./authors.ts";

/** Threads of one review that a job answers, and characters of each that its agent is shown. */
const MAX_THREADS = 50;
const MAX_HUNK = 4000;
const MAX_REMARK = 4000;

/**
 * The threads that a job has to answer: the one its command stands in, or the open ones of the review that asked
 * for changes. Those of the review in which a command of its own stands have a job of their own.
 */
export async function threadsOf(command: Command, github: GitHub): Promise<ReviewThread[]> {
  const { way, repo, issue } = command;
  if (way.kind !== "review_comment" && !(way.kind === "review" && way.changes)) return [];
  const all = await github.threads(repo, issue);
  if (way.kind === "review_comment") return all.filter(({ id }) => id === way.thread);
  return all
    .filter(({ resolved }) => !resolved)
    .filter(({ remarks }) => {
      const own = remarks.filter(({ review }) => review === way.id);
      return own.length > 0 && !own.some(({ body }) => asks(body));
    })
    .slice(0, MAX_THREADS);
}

/** The threads as an agent is shown them: of what is said there, what people with write access said. */
export async function shownThreads(
  threads: ReviewThread[],
  { job, command, stripped }: { job: Job; command: Command; stripped: Stripped[] },
  { github, authors }: { github: GitHub; authors: Authors },
): Promise<Thread[]> {
  const shown: Thread[] = [];
  for (const [at, { spot, remarks }] of threads.entries()) {
    const seen = (where: string, { text, what }: ReturnType<typeof visibleSource>) => {
      if (what.length > 0) stripped.push({ where: `${where} of thread ${at + 1}`, what });
      return text;
    };
    const said: string[] = [];
    for (const { author, body } of remarks) {
      const { name, role, trusted } = await authors(github, command, author);
      if (!trusted && !job.config.context.outsiders) continue;
      const text = seen("comment", visibleMarkdown(body, { trusted }));
      const label = `${trusted ? "" : "untrusted text: "}${name} (${role})`;
      said.push(`${label}:\n${cut(text, MAX_REMARK)}`);
    }
    const lines = spot.startLine === null ? `${spot.line}` : `${spot.startLine}-${spot.line}`;
    shown.push({
      place: spot.line === null ? spot.path : `${spot.path}:${lines}`,
      side: spot.side,
      hunk: cut(seen("diff", visibleSource(spot.hunk)), MAX_HUNK),
      said,
    });
  }
  return shown;
}

function asks(body: string): boolean {
  return parseCommand(body, { maxTasks: 1 }).kind !== "not_for_us";
}
