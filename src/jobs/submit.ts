import { v7 as uuidv7 } from "uuid";
import { parseCommand } from "../core/command.ts";
import { TransientError, toError, UserError } from "../core/errors.ts";
import type { Command, Job } from "../core/job.ts";
import { configProblems, noSandbox, refusal, usage } from "../core/messages/answers.ts";
import { chooseSkill } from "../core/plan.ts";
import { admitActor, admitRole, type CommentFacts, isInsider } from "../core/policy.ts";
import type { CommandStore, Delivery, GitHub, Log, Sandbox } from "../core/ports.ts";
import { parseRepoConfig } from "../core/repo-config.ts";
import { boardAct } from "./board.ts";
import { answerAct, commandOf, jobOf, reactionAct } from "./intake.ts";
import type { Outbox } from "./outbox.ts";
import { branchPlaces, pullPlaces } from "./place.ts";

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
    const known = error instanceof UserError || error instanceof TransientError;
    deps.log[known ? "warn" : "error"]({ err: error }, "a command could not be planned");
    if (error instanceof UserError) return refuse(error.message);
    return refuse(
      known
        ? "GitHub did not answer; try again in a new comment"
        : "something went wrong on this server; its log has it",
    );
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
  if (!boundary.ok) return { kind: "answer", text: noSandbox(facts.author.login, boundary.remedy) };
  const pull = facts.issue.isPull ? await github.pull(facts.repo, facts.issue.number) : null;
  const command = commandOf(facts, key, pull, parsed.cleaned);
  const jobs: Job[] = [];
  const bases = { configured: read.config.base, default: repository.defaultBranch };
  const placeOf = pull
    ? pullPlaces(facts, pull, await deps.commands.jobOfPull(facts.repo.id, pull.number))
    : branchPlaces(facts, bases, github);
  const skillNames = deps.skills.map((skill) => skill.name);
  for (const [index, task] of parsed.tasks.entries()) {
    const id = uuidv7();
    const place = await placeOf(task, id);
    if (place.kind === "refused") return refuse(place.reason);
    const chosen = chooseSkill(task.text, task.flags.skill, skillNames);
    if ("problem" in chosen) return refuse(chosen.problem);
    const { skill } = chosen;
    const { model } = deps;
    const spec = { number: index + 1, task, skill, place, config: read.config, model };
    jobs.push(jobOf(command, spec, id, deps.now()));
  }
  return { kind: "work", command, jobs };
}
