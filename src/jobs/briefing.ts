import { systemPrompt, taskPrompt } from "../agents/prompt.ts";
import type { Command, Job } from "../core/job.ts";
import type { ChatMessage } from "../core/model.ts";
import type { CommandStore, Conversation, GitHub, Objects, Workspaces } from "../core/ports.ts";
import { stripInvisible } from "../core/redact.ts";
import type { Skill } from "../skills/load.ts";

const MAX_AGENTS_FILES = 20;
const MAX_AGENTS_BYTES = 64 * 1024;
const MAX_DIFF_BYTES = 128 * 1024;

export interface BriefingDeps {
  commands: CommandStore;
  github: GitHub;
  workspaces: Workspaces;
  objects: Objects;
  skills: Skill[];
}

/** What the model is told at the start: the rules, then the task with its context. */
export async function firstMessages(job: Job, deps: BriefingDeps): Promise<ChatMessage[]> {
  const { repo, config } = job;
  const command = await deps.commands.command(job.commandId);
  if (!command) throw new Error(`job ${job.id} has no command`);
  const conversation = await deps.github.conversation(repo, job.issue);
  const skill = deps.skills.find((each) => each.name === job.skill);
  return [
    {
      role: "system",
      content: systemPrompt({
        skill: skill?.body ?? null,
        checks: config.checks,
        allowedPaths: config.paths.allowed,
        protectedPaths: config.paths.protected,
        network: config.network,
      }),
    },
    {
      role: "user",
      content: taskPrompt({
        repository: `${repo.owner}/${repo.name}`,
        task: job.task,
        issue: { number: job.issue, conversation: asSeen(conversation, command) },
        pull: command.pull && {
          number: job.issue,
          branch: command.pull.head,
          diff: await diffOf(job, command.pull.base, deps),
        },
        agentsFiles: await agentsFiles(job, deps.objects),
      }),
    },
  ];
}

/** AGENTS.md files of the base commit, never of the worktree: the agent itself can write there. */
async function agentsFiles(job: Job, objects: Objects): Promise<{ path: string; text: string }[]> {
  const paths = await objects.find(job.repo, job.baseSha, "AGENTS.md");
  const files: { path: string; text: string }[] = [];
  for (const path of paths.slice(0, MAX_AGENTS_FILES)) {
    const text = await objects.file(job.repo, job.baseSha, path, MAX_AGENTS_BYTES);
    if (text !== null) files.push({ path, text: stripInvisible(text) });
  }
  return files;
}

/** What the pull request changes: from where it left its base branch to its head. */
async function diffOf(job: Job, base: string, deps: BriefingDeps): Promise<string> {
  const baseSha = await deps.github.branchSha(job.repo, base);
  if (baseSha === null) return "";
  await deps.github.readGit(job.repo, (token) => deps.workspaces.fetch(job.repo, [baseSha], token));
  return stripInvisible(await deps.objects.diff(job.repo, baseSha, job.baseSha, MAX_DIFF_BYTES));
}

/** The comments as they stood when the command was given, title and body as they are, without what people cannot see. */
function asSeen(conversation: Conversation, command: Command): Conversation {
  const clean = (text: string) => stripInvisible(text.replace(/<!--[\s\S]*?(-->|$)/g, ""));
  const comments = conversation.comments.filter(
    (comment) =>
      comment.updatedAt <= command.commentedAt &&
      // Times are whole seconds; within one, the ids tell what came first.
      (comment.createdAt < command.commentedAt || comment.id < command.commentId) &&
      !comment.body.startsWith("<!-- draftsmith:"),
  );
  return {
    title: clean(conversation.title),
    body: clean(conversation.body),
    author: conversation.author,
    comments: comments.map((comment) => ({ ...comment, body: clean(comment.body) })),
  };
}
