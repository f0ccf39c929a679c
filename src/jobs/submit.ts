import { asks } from "../core/asks.ts";
import type { ParsedCommand } from "../core/command.ts";
import { mentions } from "../core/command-blocks.ts";
import { StoreFailure, TransientError, toError, UserError } from "../core/errors.ts";
import { type Command, isTerminal, type Job } from "../core/job.ts";
import { createLock } from "../core/lock.ts";
import { tableCell } from "../core/markdown.ts";
import { configProblems, refusal } from "../core/messages/answers.ts";
import { type Asked, gate, type Refusal } from "../core/policy.ts";
import type {
  Admit,
  Delivery,
  Heard,
  Identity,
  IntakeStore,
  KeyedAct,
  TakenUp,
} from "../core/ports.ts";
import { type Request, requestKey } from "../core/request.ts";
import type { SaidStop } from "../core/stopped.ts";
import { isReadOnly } from "../core/verbs.ts";
import { boardAct, refreshBoards } from "./board.ts";
import { admitRequest, type GateDeps, type Passed } from "./gate.ts";
import { answerAct } from "./intake.ts";
import type { Outbox } from "./outbox.ts";
import { MOST_TASKS, type PlanDeps, planCommand } from "./plan-command.ts";
import { reactionActs } from "./reactions.ts";
import { askReady } from "./ready.ts";
import { tellStatus } from "./status.ts";
import type { StopRequest } from "./stop.ts";

export interface SubmitDeps extends GateDeps, PlanDeps {
  intake: IntakeStore;
  self: Identity;
  outbox: Outbox;
  /** Lets a change out that was held, on an admin's word; `start` are the jobs that go on. */
  allow: (request: AllowRequest) => Promise<{ text: string; start: string[] }>;
  /** Ends work that is under way. */
  stop: (request: StopRequest) => Promise<{ text: string }>;
  /** Takes our own secrets out of what people say, before anything is made of it. */
  redact: (text: string) => string;
  /** Starts stored jobs; they are picked up after a restart all the same. */
  start: (jobIds: string[]) => void;
}

/** An admin's word on the change of one job. */
export interface AllowRequest {
  repo: Request["repo"];
  issue: number;
  /** The short id that people see. */
  job: string;
  sha: string;
  actor: { id: number; login: string };
}

/** What was decided about a request; `admit` has the last word, on what is in use by then. */
type Decision =
  | { kind: "work"; command: Command; jobs: Job[]; takenUp: TakenUp[]; admit: Admit }
  /** `confused`: what was asked was not understood. */
  | {
      kind: "answer";
      text: string;
      start: string[];
      admit: Admit;
      stop?: SaidStop;
      confused?: boolean;
      /** What is done besides. */
      acts?: KeyedAct[];
    }
  | { kind: "refused"; refusal: Refusal; text: string };

type Addressed = Exclude<ParsedCommand, { kind: "not_for_us" }>;

/** How long a request may take until it is stored: after that GitHub was told that it failed. */
const TAKE_MS = 7000;

/** Copies of one request come one after another: the first decides, the others find it known. */
const lock = createLock();

/**
 * Takes a new request through the gate. When this resolves, what has to be done is stored; when it
 * throws, nothing is, and the delivery can be sent again.
 */
export async function submit(given: Request, delivery: Delivery, deps: SubmitDeps): Promise<void> {
  const request = redacted(given, deps.redact);
  const until = performance.now() + TAKE_MS;
  const mention = mentions(request.body) ? await deps.self.login() : null;
  const parsed = asks(request, { maxTasks: MOST_TASKS, mention });
  if (parsed.kind === "not_for_us") return deps.intake.saw(delivery);
  const { repo, author, issue } = request;
  const key = requestKey(request);
  await lock(key, async () => {
    // It may be known by another delivery, or as deleted: this one came as well.
    if (await deps.intake.known(delivery.guid, key)) return deps.intake.saw(delivery);
    const heard = { delivery, key, actorId: author?.id ?? null, repo, issue: issue.number };
    let settled = false;
    // Another request may go on with the same job since this one was judged: then it is judged anew.
    while (!settled) {
      const said = { parsed, mention };
      const decision = inTime(await decide(said, request, delivery, deps), until);
      settled = await settle(heard, request, decision, deps);
    }
  });
}

function redacted(request: Request, redact: (text: string) => string): Request {
  const { body, subject } = request;
  const told = subject && { ...subject, title: redact(subject.title), body: redact(subject.body) };
  return { ...request, body: redact(body), subject: told };
}

async function decide(
  { parsed, mention }: { parsed: Addressed; mention: string | null },
  request: Request,
  delivery: Delivery,
  deps: SubmitDeps,
): Promise<Decision> {
  const passage = await admitRequest(askedBy(parsed), request, delivery, deps);
  if (passage.status === "refused") {
    const { refusal: by, problems } = passage;
    const wrongFile = by.rule === "enabled" && problems.length > 0;
    return refused(request, by, wrongFile ? configProblems(problems) : null);
  }
  if (passage.status === "admitted") return ended(parsed, request, passage, deps);
  // A text instead of jobs needs room among the comments only.
  const answer = (text: string, start: string[] = []): Extract<Decision, { kind: "answer" }> => ({
    kind: "answer",
    text,
    start,
    admit: (counted) => gate({ ...passage.facts, asked: { kind: "help" }, usage: counted }),
  });
  try {
    if (parsed.kind === "allow") return await letOut(parsed, request, passage, deps, answer);
    if (parsed.kind === "control") {
      const { login } = passage.actor;
      if (parsed.control.verb === "status") {
        return answer(await tellStatus(request, login, deps.commands));
      }
      const { text, acts } = await askReady(request, login, deps);
      return { ...answer(text), acts };
    }
    const planned = await planCommand(request, mention, passage, deps);
    if (planned.kind === "answer") {
      return { ...answer(planned.text), confused: parsed.kind === "refused" };
    }
    const reads = planned.jobs.every(({ work }) => isReadOnly(work));
    const asked: Asked = { kind: "start", tasks: planned.jobs.length, reads };
    const admit: Admit = (counted) => gate({ ...passage.facts, asked, usage: counted });
    return { ...planned, admit };
  } catch (thrown) {
    // Whoever delivers it hears so, and does it again: no person has to.
    if (thrown instanceof StoreFailure) throw thrown;
    return answer(refusal(passage.actor.login, reasonOf(toError(thrown), deps)));
  }
}

/** What a request wants of the gate; one that cannot be understood gets words only. */
function askedBy(parsed: Addressed): Asked {
  switch (parsed.kind) {
    case "command":
      return {
        ...{ kind: "start", tasks: parsed.tasks.length },
        reads: parsed.tasks.every(({ work }) => isReadOnly(work)),
      };
    case "allow":
    case "stop":
      return { kind: parsed.kind };
    case "control":
    case "help":
    case "refused":
      return { kind: "help" };
  }
}

/** Stops work; told whatever the quota of comments says. */
async function ended(
  parsed: Addressed,
  request: Request,
  { actor, facts }: Extract<Awaited<ReturnType<typeof admitRequest>>, { status: "admitted" }>,
  deps: SubmitDeps,
): Promise<Decision> {
  if (parsed.kind !== "stop") throw new Error("the gate admits more than was asked");
  const { repo, issue, way } = request;
  const { job } = parsed;
  const by = { id: actor.id, login: actor.login };
  const at = Date.parse(request.at);
  const told = await deps.stop({ repo, issue: issue.number, job, actor: by, at });
  const admit: Admit = () => gate(facts);
  const commentId = way.kind === "comment" ? way.id : null;
  const stop = job === null ? { stop: { by, at, commentId } } : {};
  return { kind: "answer", text: told.text, start: [], admit, ...stop };
}

async function letOut(
  { job, sha }: Extract<Addressed, { kind: "allow" }>,
  request: Request,
  { facts, actor }: Passed,
  deps: SubmitDeps,
  answer: (text: string, start: string[]) => Decision,
): Promise<Decision> {
  const heard = await deps.intake.heardOf(actor.id);
  const open = { person: 0, repository: 0, installation: 0 };
  const verdict = gate({ ...facts, usage: { heard, open } });
  if (verdict.status === "refused") return refused(request, verdict);
  const { repo, issue } = request;
  const { id, login } = actor;
  const allowed = await deps.allow({ repo, issue: issue.number, job, sha, actor: { id, login } });
  return answer(allowed.text, allowed.start);
}

/** Lets nothing begin that comes too late to be answered: it is delivered again. */
function inTime(decision: Decision, until: number): Decision {
  if (decision.kind === "refused") return decision;
  const { admit } = decision;
  return {
    ...decision,
    admit: (usage) => {
      if (performance.now() > until) throw new TransientError("the request took too long to store");
      return admit(usage);
    },
  };
}

/** Stores what was decided; what is in use may refuse it even now. False when it was overtaken, and nothing is stored. */
async function settle(
  heard: Heard,
  request: Request,
  decision: Decision,
  deps: SubmitDeps,
): Promise<boolean> {
  const { intake, outbox, log } = deps;
  const place = { repo: request.repo, way: request.way, issue: request.issue.number };
  if (decision.kind === "refused") {
    const { rule, reason } = decision.refusal;
    log.info({ guid: heard.delivery.guid, rule, reason }, "a command was refused");
    await intake.refuse(heard, decision.refusal, [
      answerAct(request, deps.redact(decision.text)),
      ...reactionActs(place, "-1"),
    ]);
    outbox.wake();
    return true;
  }
  const taken =
    decision.kind === "work"
      ? await intake.accept({
          delivery: heard.delivery,
          command: decision.command,
          jobs: decision.jobs,
          takenUp: decision.takenUp,
          acts: [...reactionActs(place, "eyes"), boardAct(decision.command, decision.jobs)],
          admit: decision.admit,
        })
      : await intake.answer(
          { ...heard, ...(decision.stop && { stop: decision.stop }) },
          [
            answerAct(request, deps.redact(decision.text)),
            ...(decision.acts ?? []),
            ...(decision.confused ? reactionActs(place, "confused") : []),
          ],
          decision.admit,
        );
  if (taken === "overtaken") return false;
  if (taken === "duplicate") return true;
  if (taken !== "accepted") return settle(heard, request, refused(request, taken), deps);
  if (decision.kind === "work") await tellStanding(decision.command.id, deps);
  outbox.wake();
  deps.start(decision.kind === "work" ? decision.jobs.map((job) => job.id) : decision.start);
  return true;
}

/**
 * A stop that was said after a command, and came before it, has ended it by now; and where it goes on with
 * jobs, their boards no longer offer that.
 */
async function tellStanding(commandId: string, deps: SubmitDeps): Promise<void> {
  const jobs = await deps.commands.jobsOf(commandId);
  if (jobs.some((job) => isTerminal(job.state) || job.continues))
    await refreshBoards(deps, commandId);
}

function refused(request: Request, by: Refusal, text: string | null = null): Decision {
  const login = request.author?.login ?? "ghost";
  return { kind: "refused", refusal: by, text: text ?? refusal(login, by.reason) };
}

/** What a person is told of a failure behind the gate. */
function reasonOf(error: Error, { log }: SubmitDeps): string {
  const known = error instanceof UserError || error instanceof TransientError;
  log[known ? "warn" : "error"]({ err: error }, "a command could not be planned");
  // It may hold what GitHub or a stranger said.
  if (error instanceof UserError) return tableCell(error.message);
  return known
    ? "GitHub did not answer; try again in a new comment"
    : "something went wrong on this server; its log has it";
}
