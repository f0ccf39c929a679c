import { systemPrompt, taskPrompt } from "../agents/prompt.ts";
import { readingPrompt } from "../agents/reading-prompt.ts";
import { UserError } from "../core/errors.ts";
import type { JobEvent } from "../core/event.ts";
import type { Command, Job, JobThread } from "../core/job.ts";
import { leftOutNotes } from "../core/messages/sources.ts";
import type { ChatMessage } from "../core/model.ts";
import type { CommandStore, GitHub, Log, Objects, Workspaces } from "../core/ports.ts";
import type { Sources, Stripped } from "../core/sources.ts";
import { isReadOnly } from "../core/verbs.ts";
import { visibleMarkdown, visibleSource, visibleTitle } from "../core/visible/text.ts";
import type { Authors } from "./authors.ts";
import { fetchCommit, guidanceOf } from "./guidance.ts";
import { whatWasSaid } from "./said.ts";
import { shownThreads, threadsOf } from "./threads.ts";

const MAX_DIFF_BYTES = 128 * 1024;

export interface BriefingDeps {
  commands: CommandStore;
  github: GitHub;
  workspaces: Workspaces;
  objects: Objects;
  authors: Authors;
  log: Log;
}

/** What the model is told of skills: the one it works by, or those it may choose from. */
export interface ToldSkills {
  /** As it is shown; null without one. */
  body: string | null;
  offered: readonly { name: string; description: string }[];
  /** What people cannot see was taken out of it. */
  stripped: Stripped[];
}

const NO_SKILLS: ToldSkills = { body: null, offered: [], stripped: [] };

/** What the model is told at the start, and where all of it is from. */
export interface Briefed {
  messages: ChatMessage[];
  threads: JobThread[];
  sources: Sources;
  /** The same as events of the job: what was stripped, then the messages. */
  events: JobEvent[];
}

/** Puts together what the model is told at the start: the rules, then the task with its context. */
export async function briefing(job: Job, deps: BriefingDeps, skills = NO_SKILLS): Promise<Briefed> {
  const { repo, config } = job;
  const command = await deps.commands.command(job.commandId);
  if (!command) throw new Error(`job ${job.id} has no command`);
  const stripped: Stripped[] = [...skills.stripped];
  const seen = (where: string, { text, what }: { text: string; what: string[] }) => {
    if (what.length > 0) stripped.push({ where, what });
    return text;
  };
  // As it was written: a tag or list at its beginning stood behind a word.
  const asked = (where: string, task: string) =>
    seen(where, visibleMarkdown(`/codex ${task}`, { trusted: true })).slice("/codex ".length);
  const task = asked("task", job.task);
  if (!/[\p{L}\p{N}]/u.test(task)) {
    throw new UserError("the task holds nothing that people can see; write it in visible words");
  }
  const ours = command.pull && (await deps.commands.jobOfPull(repo.id, job.issue));
  const { texts, sources } = await whatWasSaid(job, command, ours !== null, deps);
  const guidance = await guidanceOf(job, command, deps, stripped);
  const found = await threadsOf(command, deps.github);
  const threads = await shownThreads(found, { job, command, stripped }, deps);
  const diff = command.pull && seen("diff", visibleSource(await diffOf(job, command.pull, deps)));
  const rules = {
    skill: skills.body,
    skills: skills.offered,
    checks: config.checks,
    allowedPaths: [config.paths.allowed, ...(config.paths.within ?? [])],
    protectedPaths: config.paths.protected,
    network: config.network,
  };
  const words = job.work === "ask" || job.work === "plan" ? job.work : null;
  const messages: ChatMessage[] = [
    {
      role: "system",
      content: words === null ? systemPrompt(rules) : readingPrompt(rules, words),
    },
    {
      role: "user",
      content: taskPrompt({
        repository: `${repo.owner}/${repo.name}`,
        task,
        issue: {
          number: job.issue,
          texts,
          leftOut: leftOutNotes(sources),
        },
        pull: diff === null ? null : { number: job.issue, diff },
        earlier: ours && { task: asked("earlier task", ours.task), report: reportOf(ours) },
        ...(threads.length > 0 && { threads, answers: words === null }),
        guidance,
      }),
    },
  ];
  const all = [...sources.stripped, ...stripped];
  if (all.length > 0) {
    deps.log.info({ jobId: job.id, stripped: all }, "what people cannot see was taken out");
  }
  return {
    messages,
    // Words are the answer themselves.
    threads: isReadOnly(job.work) ? [] : found.map(({ id, node }) => ({ id, node })),
    sources: { ...sources, stripped: all },
    events: [
      ...all.map((each): JobEvent => ({ type: "stripped", ...each })),
      ...messages.map((message): JobEvent => ({ type: "message", message })),
    ],
  };
}

/** What the agent of an earlier job said of its work: a model's words, whoever asked for them. */
function reportOf({ change }: Job): string {
  if (change === null) return "";
  const { text } = visibleMarkdown(change.summary, { trusted: false });
  return `${visibleTitle(change.title).text}\n\n${text}`;
}

/** What the pull request changes: from where it left its base branch to its head. */
async function diffOf(
  job: Job,
  { base }: NonNullable<Command["pull"]>,
  deps: BriefingDeps,
): Promise<string> {
  const baseSha = await deps.github.branchSha(job.repo, base);
  if (baseSha === null) return "";
  await fetchCommit(job, baseSha, deps);
  return deps.objects.diff(job.repo, baseSha, job.baseSha, MAX_DIFF_BYTES);
}
