import type { Act, OutboxRow } from "./act.ts";
import type { JobEvent } from "./event.ts";
import type { Allowance, Command, Job, JobPatch, RepoRef } from "./job.ts";
import type { Refusal, Usage, Verdict } from "./policy.ts";

/** A webhook delivery as GitHub named it. */
export interface Delivery {
  guid: string;
  event: string;
  action: string | null;
}

/** An act with the key it is stored under. */
export interface KeyedAct {
  key: string;
  /** Acts of one lane are performed in order, one at a time. */
  lane: string;
  act: Act;
}

/** A comment that spoke to us, with who said it where: what quotas are counted by. */
export interface Heard {
  delivery: Delivery;
  /** Unique: repository id and comment id. */
  key: string;
  /** GitHub's number of the author; null for a deleted account. */
  actorId: number | null;
  repo: RepoRef;
  issue: number;
}

/** What may be added to what is in use, asked within the transaction that adds it. */
export type Admit = (usage: Usage) => Verdict;

/** Comments that were heard: each leads to one outcome, stored before GitHub gets its answer. */
export interface IntakeStore {
  /** Whether the delivery, or the comment under another delivery, was heard already. */
  known(guid: string, key: string): Promise<boolean>;
  /** How many comments of a person were heard in the last hour. */
  heardOf(actorId: number): Promise<number>;
  /** Stores command, jobs and first acts whole; nothing when the comment is known or `admit` refuses. */
  accept(intake: {
    delivery: Delivery;
    command: Command;
    jobs: Job[];
    acts: KeyedAct[];
    admit: Admit;
  }): Promise<"accepted" | "duplicate" | Refusal>;
  /** Stores the answer to a comment that starts no job, under the same conditions. */
  answer(heard: Heard, acts: KeyedAct[], admit: Admit): Promise<"accepted" | "duplicate" | Refusal>;
  /**
   * Stores that a comment was refused. `acts` tell it: always, or unless the same rule was told to the
   * person on this issue within the last hour, or never. False when the comment was known.
   */
  refuse(heard: Heard, refusal: Refusal, acts: KeyedAct[]): Promise<boolean>;
}

/** Commands and the jobs they led to. */
export interface CommandStore {
  command(id: string): Promise<Command | null>;
  jobsOf(commandId: string): Promise<Job[]>;
  /** The job that opened this pull request, if one of ours did. */
  jobOfPull(repoId: number, pull: number): Promise<Job | null>;
  /** The jobs that added to it later, oldest first. */
  followUpsOf(repoId: number, pull: number): Promise<Job[]>;
}

/** Changes that are held, and the words of admins that let them out. */
export interface AllowanceStore {
  /** Jobs of a repository by the eight digits that people see, oldest first. */
  jobsCalled(repoId: number, shortId: string): Promise<Job[]>;
  /** Sends a blocked job back to the queue; false unless it holds exactly the commit that is allowed. */
  allow(jobId: string, allowance: Allowance): Promise<boolean>;
}

/** Jobs: claimed under a lease; every write of an attempt carries its fence. */
export interface JobStore {
  job(id: string): Promise<Job | null>;
  /** Ids of jobs that have not ended, oldest first. */
  unfinished(): Promise<string[]>;
  /** Takes the job for `owner`: raises its fence and sets the lease. Null when ended or leased by another. */
  claim(id: string, owner: string, leaseMs: number): Promise<Job | null>;
  /** Prolongs the lease; false when the fence is no longer ours. */
  renew(id: string, fence: number, leaseMs: number): Promise<boolean>;
  /** Writes fields and appends events in one transaction; false when the fence is no longer ours. */
  write(id: string, fence: number, patch: JobPatch, events?: JobEvent[]): Promise<boolean>;
  /** Replaces the merge conflicts of a job; written by its siblings, hence without fence. */
  setConflicts(id: string, conflicts: Job["conflicts"]): Promise<void>;
  /** Events of a job, oldest first. */
  events(id: string): Promise<JobEvent[]>;
}

/** Writes to GitHub, stored before they are made. */
export interface OutboxStore {
  /**
   * Stores an act. A key that is known keeps its row: the same act changes nothing, another body
   * replaces the old one, raises the version and makes the row pending again. A row that failed keeps
   * its attempts and waits at least until the time its retry was set to.
   */
  put(act: KeyedAct, notBefore: number): Promise<OutboxRow>;
  get(key: string): Promise<OutboxRow | null>;
  /** Pending rows whose time has come, oldest first, at most one per lane. */
  due(now: number): Promise<OutboxRow[]>;
  /** When the next pending row is due, in ms since the epoch; null without one. */
  nextDue(): Promise<number | null>;
  /**
   * Records success. False when a newer version came meanwhile: the row stays pending, not before
   * `notBefore`.
   */
  done(id: number, version: number, result: unknown, notBefore: number): Promise<boolean>;
  /** Records a failure that may pass. */
  retry(id: number, at: number, error: string): Promise<void>;
  /** Records a failure that will not pass; a newer version that came meanwhile stays pending. */
  dead(id: number, version: number, reason: string): Promise<void>;
}
