import { createHash } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { type ParsedTask, parseCommand } from "../core/command.ts";
import { toError, UserError } from "../core/errors.ts";
import type { Command, Job, Target } from "../core/job.ts";
import { codeSpan } from "../core/markdown.ts";
import { answerMarker, configProblems, refusal, usage } from "../core/messages/answers.ts";
import { branchName, chooseSkill } from "../core/plan.ts";
import { admitActor, admitRole, type CommentFacts, isInsider } from "../core/policy.ts";
import type {
  CommandStore,
  Delivery,
  GitHub,
  KeyedAct,
  Log,
  PullFacts,
  Sandbox,
} from "../core/ports.ts";
import { parseRepoConfig, type RepoConfig } from "../core/repo-config.ts";
import { boardAct } from "./board.ts";
import type { Outbox } from "./outbox.ts";

/** Where repositories keep their configuration; read from the default branch only. */
const CONFIG_PATH = ".github/codex.yml";

/** What a comment may hold before the repository's own, lower limit is known. */
const MOST_TASKS = 20;

export interface SubmitDeps {
  commands: CommandStore;
  outbox: Outbox;
  github: GitHub;
  sandbox: Sandbox;
  skills: { name: string; description: string }[];
  /** The operator's model. */
  model: string;
  /** Starts stored jobs; they are picked up after a restart all the same. */
  start: (jobIds: string[]) => void;
  now: () => number;
  log: Log;
}

/** What was decided about a comment: jobs to store, one text to answer with, or nothing to say. */
type Decision =
  | { kind: "work"; command: Command; jobs: Job[] }
  | { kind: "answer"; text: string }
  | { kind: "silence"; reason: string };

/**
 * Takes a new comment through the gate. When this resolves, what has to be done is stored; when it
 * throws, nothing is, and the delivery can be sent again.
 */
export async function submit(
  facts: CommentFacts,
  delivery: Delivery,
  deps: SubmitDeps,
): Promise<void> {
  const { commands, outbox, log } = deps;
  if (parseCommand(facts.body, { maxTasks: MOST_TASKS }).kind === "not_for_us") return;
  const key = `${facts.repo.id}/${facts.commentId}`;
  if (await commands.known(delivery.guid, key)) return;
  const decision = await decide(facts, key, deps);
  switch (decision.kind) {
    case "silence":
      log.info(
        { guid: delivery.guid, reason: decision.reason },
        "a command was refused without a reply",
      );
      await commands.answer(delivery, []);
      return;
    case "answer":
      await commands.answer(delivery, [answerAct(facts, decision.text)]);
      outbox.wake();
      return;
    case "work": {
      const { command, jobs } = decision;
      const acts = [reactionAct(facts), boardAct(command, jobs)];
      if ((await commands.accept({ delivery, command, jobs, acts })) === "duplicate") return;
      outbox.wake();
      deps.start(jobs.map((job) => job.id));
    }
  }
}

async function decide(facts: CommentFacts, key: string, deps: SubmitDeps): Promise<Decision> {
  const insider = isInsider(facts.association);
  const refuse = (reason: string, told = true): Decision =>
    told
      ? { kind: "answer", text: refusal(facts.author.login, reason) }
      : { kind: "silence", reason };
  const actor = admitActor(facts);
  if (actor.status === "refused") return refuse(actor.reason, actor.told && insider);
  try {
    const role = admitRole(
      await deps.github.permission(facts.repo, facts.author.login),
      facts.association,
    );
    if (role.status === "refused") return refuse(role.reason, role.told);
  } catch (thrown) {
    const error = toError(thrown);
    deps.log.warn({ err: error }, "the permission of a person could not be read");
    return refuse(
      "GitHub did not say whether you may write to this repository; try again in a new comment",
      insider,
    );
  }
  try {
    return await plan(facts, key, deps, refuse);
  } catch (thrown) {
    const error = toError(thrown);
    deps.log.warn({ err: error }, "a command could not be planned");
    const reason =
      error instanceof UserError
        ? error.message
        : "GitHub did not answer; try again in a new comment";
    return refuse(reason);
  }
}

/** From here on the person is known to have write access and gets an answer in every case. */
async function plan(
  facts: CommentFacts,
  key: string,
  deps: SubmitDeps,
  refuse: (reason: string) => Decision,
): Promise<Decision> {
  const { github } = deps;
  const [repository, configText] = await Promise.all([
    github.repository(facts.repo),
    github.file(facts.repo, CONFIG_PATH),
  ]);
  const read = parseRepoConfig(configText ?? "");
  const maxTasks = read.ok ? read.config.limits.tasks : MOST_TASKS;
  const parsed = parseCommand(facts.body, { maxTasks });
  const help = usage(deps.skills, maxTasks);
  if (parsed.kind === "not_for_us") return { kind: "silence", reason: "not a command" };
  if (parsed.kind === "help") return { kind: "answer", text: help };
  if (parsed.kind === "refused") {
    const text = refusal(facts.author.login, parsed.problem);
    return { kind: "answer", text: parsed.usage ? `${text}\n\n${help}` : text };
  }
  if (!read.ok) return { kind: "answer", text: configProblems(read.problems) };
  if (repository.archived) return refuse("this repository is archived");
  const boundary = await deps.sandbox.check();
  if (!boundary.ok)
    return refuse(`this server has no working sandbox. For its operator: ${boundary.remedy}`);
  const pull = facts.issue.isPull ? await github.pull(facts.repo, facts.issue.number) : null;
  const command = commandOf(facts, key, pull);
  const jobs: Job[] = [];
  const placeOf = pull
    ? await pullPlaces(facts, pull, deps)
    : branchPlaces(facts, read.config.base, repository.defaultBranch, deps);
  for (const [index, task] of parsed.tasks.entries()) {
    const id = uuidv7();
    const place = await placeOf(task, id);
    if (place.kind === "refused") return refuse(place.reason);
    const skill = chooseSkill(
      task.text,
      task.flags.skill,
      deps.skills.map((each) => each.name),
    );
    if ("problem" in skill) return refuse(skill.problem);
    jobs.push(
      jobOf(
        command,
        { id, number: index + 1, task, skill: skill.skill, place, config: read.config },
        deps,
      ),
    );
  }
  return { kind: "work", command, jobs };
}

type Place =
  | { kind: "place"; baseSha: string; target: Target }
  | { kind: "refused"; reason: string };

/** Where the work of a task starts and where its change will go. */
type PlaceOf = (task: ParsedTask, jobId: string) => Promise<Place>;

/** On an issue: a new branch from the base branch, whose commit is asked for once per branch. */
function branchPlaces(
  facts: CommentFacts,
  configured: string | undefined,
  defaultBranch: string,
  deps: SubmitDeps,
): PlaceOf {
  const shas = new Map<string, Promise<string | null>>();
  return async (task, jobId) => {
    const base = task.flags.base ?? configured ?? defaultBranch;
    const asked = shas.get(base) ?? deps.github.branchSha(facts.repo, base);
    shas.set(base, asked);
    const baseSha = await asked;
    if (baseSha !== null) {
      return { kind: "place", baseSha, target: newPull(facts, task, jobId, base) };
    }
    if (base === defaultBranch) {
      return { kind: "refused", reason: "this repository is empty; push a first commit" };
    }
    return {
      kind: "refused",
      reason: `there is no branch ${codeSpan(base)}; name one that exists with \`--base\``,
    };
  };
}

/** On a pull request: a commit on its branch when it is ours, else a draft onto its branch. */
async function pullPlaces(
  facts: CommentFacts,
  pull: PullFacts,
  deps: SubmitDeps,
): Promise<PlaceOf> {
  const ours = await deps.commands.jobOfPull(facts.repo.id, pull.number);
  const refused = (reason: string): Place => ({ kind: "refused", reason });
  return async (task, jobId) => {
    if (task.flags.base !== undefined) {
      return refused("`--base` has no meaning on a pull request: work starts from its branch");
    }
    if (pull.state !== "open") return refused("this pull request is closed");
    if (!pull.sameRepo) {
      return refused("this pull request comes from a fork, whose code is not run here");
    }
    const target: Target = ours
      ? { kind: "follow_up", branch: pull.headRef, base: pull.baseRef, pull: pull.number }
      : newPull(facts, task, jobId, pull.headRef);
    return { kind: "place", baseSha: pull.headSha, target };
  };
}

function newPull(facts: CommentFacts, task: ParsedTask, jobId: string, base: string): Target {
  const branch = branchName(facts.issue.number, task.text, jobId);
  return { kind: "new_pull", branch, base, draft: task.flags.draft ?? true };
}

function commandOf(facts: CommentFacts, key: string, pull: PullFacts | null): Command {
  return {
    id: uuidv7(),
    key,
    repo: facts.repo,
    issue: facts.issue.number,
    actor: { id: facts.author.id, login: facts.author.login },
    commentId: facts.commentId,
    commentUrl: facts.commentUrl,
    revision: createHash("sha256").update(facts.body).digest("hex").slice(0, 12),
    commentedAt: facts.createdAt,
    pull: pull && { head: pull.headRef, base: pull.baseRef },
  };
}

function jobOf(
  command: Command,
  spec: {
    id: string;
    number: number;
    task: ParsedTask;
    skill: string | null;
    place: { baseSha: string; target: Target };
    config: RepoConfig;
  },
  deps: SubmitDeps,
): Job {
  return {
    id: spec.id,
    key: `${command.key}/${command.revision}/${spec.number}`,
    commandId: command.id,
    number: spec.number,
    task: spec.task.text,
    skill: spec.skill,
    model: spec.task.flags.model ?? spec.config.model ?? deps.model,
    repo: command.repo,
    issue: command.issue,
    baseSha: spec.place.baseSha,
    target: spec.place.target,
    config: spec.config,
    state: "queued",
    fence: 0,
    spend: { steps: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, microDollars: 0 },
    plan: [],
    lastAction: "",
    reason: "",
    change: null,
    publication: null,
    conflicts: [],
    createdAt: deps.now(),
    startedAt: null,
    endedAt: null,
  };
}

function reactionAct(facts: CommentFacts): KeyedAct {
  const key = `reaction:${facts.repo.id}:${facts.commentId}`;
  return {
    key,
    lane: key,
    act: { kind: "reaction", repo: facts.repo, commentId: facts.commentId, content: "eyes" },
  };
}

function answerAct(facts: CommentFacts, text: string): KeyedAct {
  const key = `answer:${facts.repo.id}:${facts.commentId}`;
  const marker = answerMarker(facts.commentId);
  return {
    key,
    lane: key,
    act: {
      kind: "comment",
      repo: facts.repo,
      issue: facts.issue.number,
      marker,
      body: `${marker}\n${text}`,
      since: facts.createdAt,
    },
  };
}
