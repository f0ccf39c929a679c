import type { Allowance, VerifiedChange } from "./change.ts";
import type { Alike, Estimate } from "./estimate.ts";
import type { CapReached } from "./ledger.ts";
import type { RepoConfig } from "./repo-config.ts";
import type { Way } from "./request.ts";
import type { Route } from "./route.ts";
import type { JobSkills } from "./skill.ts";
import type { Sources } from "./sources.ts";
import type { StopBy } from "./stopped.ts";
import type { ThreadAnswer } from "./thread-answers.ts";
import type { Work } from "./verbs.ts";

export type * from "./change.ts";

/** The states of a job; the last six are terminal and each is told to the person who asked. */
export const JOB_STATES = [
  "queued",
  "running",
  "verifying",
  "publishing",
  "done",
  "no_change",
  "blocked",
  "over_budget",
  "failed",
  "cancelled",
] as const;
export type JobState = (typeof JOB_STATES)[number];

const NEXT: Record<JobState, readonly JobState[]> = {
  // What an admin let out was made already: it is only checked again.
  queued: ["running", "verifying", "blocked", "failed", "cancelled"],
  // Done at once: what only reads has nothing to check.
  running: [
    "verifying",
    "done",
    "no_change",
    "blocked",
    "over_budget",
    "failed",
    "cancelled",
    "queued",
  ],
  verifying: ["running", "publishing", "blocked", "over_budget", "failed", "cancelled", "queued"],
  publishing: ["done", "over_budget", "blocked", "failed", "cancelled", "queued"],
  done: [],
  no_change: [],
  // With a held change and the word of an admin.
  blocked: ["queued"],
  over_budget: [],
  failed: [],
  cancelled: [],
};

const TERMINAL: ReadonlySet<JobState> = new Set([
  "done",
  "no_change",
  "blocked",
  "over_budget",
  "failed",
  "cancelled",
]);

/** Whether a job in `state` has ended; a blocked one begins again when an admin allows its change. */
export function isTerminal(state: JobState): boolean {
  return TERMINAL.has(state);
}

/** Whether a job may go from one state to another; staying where it is counts as allowed. */
export function mayMove(from: JobState, to: JobState): boolean {
  return from === to || NEXT[from].includes(to);
}

/** Processes that die with a job, whatever else they had, after which it gets one to itself. */
export const SUSPECT_AFTER = 3;

/** Who goes first among jobs that wait. */
export const PRIORITY = { person: 10, schedule: 0 } as const;

/** One repository of one installation; `id` is GitHub's and survives a rename. */
export interface RepoRef {
  installationId: number;
  id: number;
  owner: string;
  name: string;
}

/** An issue or pull request as the webhook of a command told it; it is not read again later. */
export interface Subject {
  title: string;
  body: string;
  /** Null when the account is gone, or the webhook did not name it. */
  author: { id: number; login: string; type: string } | null;
  /** Names of its labels; absent in rows of earlier versions, and when it has none. */
  labels?: string[];
  /** First 12 hex digits of the SHA-256 of title, line end and body. */
  revision: string;
}

/** What a person asked, as stored. `revision` names the text it was read from. */
export interface Command {
  id: string;
  /** Unique: see requestKey. */
  key: string;
  repo: RepoRef;
  /** Number of the issue or pull request on which it was asked. */
  issue: number;
  actor: { id: number; login: string };
  way: Way;
  /** Where a person sees what was written or done. */
  url: string;
  /** First 12 hex digits of the SHA-256 of the words. */
  revision: string;
  /** ISO 8601, as GitHub gave it. */
  askedAt: string;
  /** Whether invisible or control characters were taken out of the tasks. */
  cleaned: boolean;
  /** Branches of the pull request on which it was asked; null on an issue. */
  pull: { head: string; base: string } | null;
  /** That issue or pull request; null when the webhook did not tell it. */
  subject: Subject | null;
}

/** Where the result of a job goes. */
export type Target =
  /** Words, where they were asked for: `base` is the branch it looks at; on a pull request the one it is to go to. */
  | { kind: "answer"; base: string; pull: number | null }
  | { kind: "new_pull"; branch: string; base: string; draft: boolean }
  | { kind: "follow_up"; branch: string; base: string; pull: number };

/** The branch that a change goes to. Throws for work that makes none. */
export function branchOf(target: Target): string {
  if (target.kind === "answer") throw new Error("work that only reads has no branch");
  return target.branch;
}

/** Tokens and money. `microDollars` is null where a price was unknown, which only jobs from before the ledger have. */
interface Used {
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  microDollars: number | null;
}

/** What a job consumed so far, its calls by the ledger: see core/spend.ts. */
export interface Spend extends Used {
  steps: number;
  /** True when calls of an unpriced model are among them. */
  unpriced?: boolean;
  /** The models that answered; absent before one did. */
  models?: string[];
  /** The part of it that no row of the ledger tells; absent as long as the ledger has none of the job. */
  before?: Used;
  /** How long its agent was at work, all attempts together, in ms; absent in rows of earlier versions. */
  workedMs?: number;
  /** How long it waited to be tried again, in ms; absent for not at all. */
  waitedMs?: number;
  /** What the model's server said last where its agent waits for a reply; absent once there is one. */
  unanswered?: string;
}

export interface PlanItem {
  text: string;
  status: "pending" | "in_progress" | "done";
}

/** A thread of a review that a job has to answer. */
export interface JobThread {
  /** Its first comment. */
  id: number;
  /** By which it is resolved; null where the host tells none. */
  node: string | null;
  /** What its agent said of it; absent before that, and where it said nothing. */
  answer?: ThreadAnswer;
}

/** What stands on GitHub for a job. */
export interface Publication {
  pull: number;
  url: string;
  headSha: string;
  draft: boolean;
}

/**
 * What ended the work of an agent, where that was neither its own word nor a limit of steps, tokens or time;
 * `model_failed`: its server refused it for good, or gave no reply.
 */
export type Ending =
  | { kind: "cap"; by: CapReached }
  | { kind: "declined" }
  | { kind: "model_failed" };

/** One unit of agent work: everything needed to run it again after a restart. */
export interface Job {
  id: string;
  /** Unique: repository, comment, revision, task number. */
  key: string;
  commandId: string;
  /** 1-based place of its task in the command. */
  number: number;
  task: string;
  /** What kind of result it makes; absent: a change. */
  work?: Work;
  /** The skill that was asked for, or that its first word names as far as the server knows; null for none. */
  skill: string | null;
  /** How it was asked for; absent when it was not, and in rows of earlier versions. */
  skillBy?: "flag" | "first_word" | "none";
  /** What it fixed about skills before its first step; absent before that. */
  skills?: JobSkills;
  /** The first choice of its route. */
  model: string;
  /** Absent in rows of earlier versions: its model alone. */
  route?: Route;
  /** What the person lets it spend, in micro-dollars; absent: as configured. */
  budget?: number;
  /** What `--budget` may let it spend where it was asked for, in micro-dollars; null: no bound; absent in rows of earlier versions. */
  most?: number | null;
  /** The jobs it goes on with, the newest last, and their task with the words that were added; absent for none. */
  continues?: { jobs: string[]; task: string };
  /** What jobs like it cost before it began; absent where they were too few. */
  estimate?: Estimate & { alike: Alike };
  /** What the repository's configuration says in vain, as sentences without their full stops; of the first job of a command. */
  notes?: string[];
  repo: RepoRef;
  issue: number;
  baseSha: string;
  target: Target;
  config: RepoConfig;
  state: JobState;
  /** Higher goes first among jobs that wait; see PRIORITY. */
  priority: number;
  /** Raised at every claim; a write that carries an older fence is refused. */
  fence: number;
  /** While it is queued: how many go before it; null or absent until its board tells. */
  ahead?: number | null;
  /** Claims since it last got on, this one included: many mean that it never will. */
  attempts: number;
  /**
   * Processes that died with it since it last finished a step, and how many of them had no other job;
   * absent for none.
   */
  crashes?: { all: number; alone: number };
  /** Who wants it stopped; null when nobody does. */
  stop: StopBy | null;
  spend: Spend;
  plan: PlanItem[];
  /** What the agent was told at the start; null before that. */
  sources: Sources | null;
  /** The threads that it has to answer; absent before it began, and for none. */
  threads?: JobThread[];
  /** The last thing it did, one line for the board. */
  lastAction: string;
  /** Why it ended as it did, in words for a person; empty while it runs. */
  reason: string;
  /** Absent for none, and in rows of earlier versions. */
  ending?: Ending | null;
  change: VerifiedChange | null;
  /** Given when its change was held. */
  allowance: Allowance | null;
  publication: Publication | null;
  /** Siblings whose changes do not merge with this one. */
  conflicts: { job: number; files: string[] }[];
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
}

/** The fields of a job that its own attempt may write. */
export type JobPatch = Partial<
  Pick<
    Job,
    | "state"
    | "spend"
    | "plan"
    | "sources"
    | "threads"
    | "skills"
    | "lastAction"
    | "reason"
    | "ending"
    | "change"
    | "publication"
    | "startedAt"
    | "endedAt"
  >
>;
