import type { Act, ActKind, OutboxRow } from "./act.ts";
import type { TakenUp, Told } from "./command-store.ts";
import type { JobEvent } from "./event.ts";
import type { Allowance, Command, Job, JobPatch, RepoRef } from "./job.ts";
import type { Refusal, Usage, Verdict } from "./policy.ts";
import type { SaidStop, StopBy } from "./stopped.ts";

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

/** A request that spoke to us, with who made it where: what quotas are counted by. */
export interface Heard {
  delivery: Delivery;
  /** Unique: see requestKey. */
  key: string;
  /** GitHub's number of the author; null for a deleted account. */
  actorId: number | null;
  repo: RepoRef;
  issue: number;
  /** When it ends all that was asked for there: what was asked before it and comes later does not begin. */
  stop?: SaidStop;
}

/** What may be added to what is in use, asked within the transaction that adds it. */
export type Admit = (usage: Usage) => Verdict;

/** Comments that were heard: each leads to one outcome, stored before GitHub gets its answer. */
export interface IntakeStore {
  /** Whether the delivery, or the comment under another delivery, was heard already. */
  known(guid: string, key: string): Promise<boolean>;
  /** Stores that a delivery came which asks for nothing. */
  saw(delivery: Delivery): Promise<void>;
  /**
   * Stores that a comment was deleted: it starts nothing any more, whenever it comes. The id of the
   * command that it led to before, else null. The delivery itself is not stored.
   */
  bury(comment: { key: string; repo: RepoRef; issue: number }): Promise<string | null>;
  /** How many comments of a person were heard in the last hour. */
  heardOf(actorId: number): Promise<number>;
  /**
   * Stores command, jobs and first acts whole; nothing when the comment is known or `admit` refuses, or when
   * what its jobs go on with (`takenUp`) stands otherwise than it was judged: "overtaken".
   */
  accept(intake: {
    delivery: Delivery;
    command: Command;
    jobs: Job[];
    takenUp?: TakenUp[];
    acts: KeyedAct[];
    admit: Admit;
  }): Promise<"accepted" | "duplicate" | "overtaken" | Refusal>;
  /** Stores the answer to a comment that starts no job, under the same conditions. */
  answer(heard: Heard, acts: KeyedAct[], admit: Admit): Promise<"accepted" | "duplicate" | Refusal>;
  /**
   * Stores that a comment was refused. `acts` tell it: always, or unless the same rule was told to the
   * person on this issue within the last hour, or never. False when the comment was known.
   */
  refuse(heard: Heard, refusal: Refusal, acts: KeyedAct[]): Promise<boolean>;
}

/** Changes that are held, and the words of admins that let them out. */
export interface AllowanceStore {
  /** Jobs of a repository by the eight digits that people see, oldest first. */
  jobsCalled(repoId: number, shortId: string): Promise<Job[]>;
  /** Sends a blocked job back to the queue; false unless it holds exactly the commit that is allowed. */
  allow(jobId: string, allowance: Allowance): Promise<boolean>;
}

/** Jobs as those see them who look for work: each is claimed under a lease that has to be renewed. */
export interface ClaimStore {
  /**
   * Takes the job whose turn it is: the highest priority first, then the installation and the repository
   * that were served longest ago, then the oldest. Raises its fence and sets the lease. `owner` is this
   * process, `worker` the place it keeps its mirrors in: for a second others that have the mirror of a
   * repository come first. Never more than `perRepository` jobs of one repository at a time, whoever
   * claims. Null when there is nothing to do.
   */
  claimNext(by: {
    owner: string;
    worker: string;
    leaseMs: number;
    perRepository: number;
    /** Only those that somebody stopped and nobody holds, whatever their repository has running. */
    stopped?: boolean;
    /**
     * False: the process has other jobs. When it is the turn of one with which several processes died, one
     * such process gets none until it can give itself to that job alone; the others get what else there is.
     */
    alone?: boolean;
  }): Promise<Job | null>;
  /** Prolongs the lease; false when the fence is no longer ours, or the job was given back or ended. */
  renew(id: string, fence: number, leaseMs: number): Promise<boolean>;
  /**
   * Gives a job back, to be claimed after `inMs` at the earliest. Without `burn` the claim does not count
   * as an attempt: nothing was wrong with the job.
   */
  release(id: string, fence: number, how: { inMs: number; burn: boolean }): Promise<void>;
  /** Gives back what earlier processes of this worker held when they died, acts too; how many jobs. */
  releaseAll(worker: string): Promise<number>;
  /** Ids of unfinished jobs that nobody holds and whose time has come. */
  waiting(): Promise<string[]>;
  /** Whether another worker that can run jobs was seen in the last seconds. */
  othersWork(worker: string): Promise<boolean>;
}

/** A queued job that nobody holds, with what decides whose turn it is. */
export interface QueuedJob {
  id: string;
  commandId: string;
  repoId: number;
  installationId: number;
  priority: number;
  createdAt: number;
  number: number;
  /** How many are before it, as its board was told last; null when it was not. */
  ahead: number | null;
}

/** The jobs that wait, as their boards tell them. */
export interface QueueStore {
  queued(): Promise<QueuedJob[]>;
  /** When one of its jobs was last claimed, by repository; 0 for never. */
  served(): Promise<{ repoId: number; installationId: number; servedAt: number }[]>;
  /** Stores how many are before a job. */
  place(id: string, ahead: number): Promise<void>;
  /** Commands of which a job ended at that time (ms since the epoch) or later. */
  endedSince(at: number): Promise<string[]>;
}

/** Repositories that were renamed or handed over. */
export interface RenameStore {
  /** Gives a repository its present name and installation in all rows about it. */
  renamed(repo: RepoRef): Promise<void>;
}

/** Jobs that somebody wants stopped. */
export interface StopStore {
  /** Ends jobs that have not begun, and marks those that have; each id once, with what it was. */
  stop(ids: string[], by: StopBy): Promise<{ cancelled: string[]; stopping: string[] }>;
  /**
   * The jobs of an issue or pull request that have not ended, or were cancelled since, oldest first: asked
   * for there, adding to it, or having opened it.
   */
  jobsAt(repoId: number, issue: number, since: number): Promise<Job[]>;
  /** Jobs a process holds that are to stop. */
  toStop(owner: string): Promise<{ id: string; by: StopBy }[]>;
}

/** Files that lie sealed under one of the two private refs that a job has on GitHub. */
export interface Shelf {
  slot: 0 | 1;
  /** The commit that carries them. */
  commit: string;
  /** What opens them. */
  key: string;
}

/**
 * The files of a job, where any worker finds them: a commit on the job's base, or of the change on its
 * parent, and a thin pack of it, or where on GitHub that lies.
 */
export type KeptFiles = { commit: string; pack: Uint8Array } | { commit: string; shelf: Shelf };

/** What outlives the workspaces of jobs: see JobStore.write. */
export interface SnapshotStore {
  /** The files that were kept last; null when there are none. */
  kept(jobId: string): Promise<KeptFiles | null>;
}

/** Jobs: every write of an attempt carries its fence. */
export interface JobStore {
  job(id: string): Promise<Job | null>;
  /** Ids of jobs that have not ended, oldest first. */
  unfinished(): Promise<string[]>;
  /**
   * Writes fields and appends events in one transaction; false when the fence is no longer ours. An event
   * of work that got on sets the count of attempts back. `kept` replaces the files that are kept of the
   * job; what is kept goes when the job ends, save what an admin may still let out.
   */
  write(
    id: string,
    fence: number,
    patch: JobPatch,
    events?: JobEvent[],
    kept?: KeptFiles,
  ): Promise<boolean>;
  /** Replaces the merge conflicts of a job; written by its siblings, hence without fence. */
  setConflicts(id: string, conflicts: Job["conflicts"]): Promise<void>;
  /** Events of a job, oldest first. */
  events(id: string): Promise<JobEvent[]>;
}

/** What processes agree on besides jobs. */
export interface SharedStore {
  /** Takes or keeps what only one process does at a time, for `ms`; false while another has it. */
  hold(name: string, owner: string, ms: number): Promise<boolean>;
  letGo(name: string, owner: string): Promise<void>;
  /** How far something was read; null before the first time. */
  cursor(name: string): Promise<string | null>;
  setCursor(name: string, value: string): Promise<void>;
  /** For how many ms more an installation must not be called, and why; null when it may. */
  pausedFor(installationId: number): Promise<{ ms: number; why: string } | null>;
  /** Lets all processes wait for GitHub for `ms`; an earlier end does not shorten a later one. */
  pause(installationId: number, ms: number, why: string): Promise<void>;
  /** Lets the writes of an installation be paced, which ran into a secondary limit that lasts `ms` more. */
  slow(installationId: number, ms: number): Promise<void>;
  /** Tells the others that this worker lives, how many jobs it takes and has, and which mirrors. */
  seen(worker: { id: string; slots: number; busy: number; mirrors: number[] }): Promise<void>;
}

/** What jobs that ended left behind. */
export interface LeftoverStore {
  /**
   * Of these jobs those that work no more: ended, or not known at all. `held`: its change is, since less
   * than `heldMs`, so that its commit may still be asked for.
   */
  over(ids: string[], heldMs: number): Promise<{ id: string; held: boolean }[]>;
  /** Acts that take away private refs which ended jobs left on GitHub. */
  leftRefs(): Promise<KeyedAct[]>;
  /**
   * Has texts tried once more that were given up more than `restMs` ago and are younger than `youngMs`: by now
   * the App may be no longer suspended, or the issue unlocked; how many.
   */
  revive(restMs: number, youngMs: number): Promise<number>;
  /**
   * Removes the histories of jobs that ended longer than `ms` ago, and what was heard and told before;
   * how many rows. Jobs, commands and what may be edited again stay.
   */
  prune(ms: number): Promise<number>;
}

/** A row that is due: taken, or put off for so many ms. */
export type DueRow = OutboxRow & { putOffMs: number };

/** Writes to GitHub, stored before they are made. All waits are in ms, by the clock of the store. */
export interface OutboxStore {
  /**
   * Stores an act. A key that is known keeps its row: the same act changes nothing, another body
   * replaces the old one, raises the version and makes the row pending again, not before `spacingMs`
   * after GitHub was last told. A row that failed keeps its attempts and waits out its time.
   */
  put(act: KeyedAct, spacingMs: number): Promise<OutboxRow>;
  /**
   * Stores what `tell` makes of a command's present rows. Of two that tell at once, in whatever process,
   * the later one has the newer rows. Gives the other commands whose jobs those of this one go on with.
   */
  putTold(
    commandId: string,
    tell: (told: Told) => { keyed: KeyedAct; spacingMs: number }[],
  ): Promise<string[]>;
  /** Stores an act of a job while that claim of it holds; else null. */
  putHeld(act: KeyedAct, holder: { jobId: string; fence: number }): Promise<OutboxRow | null>;
  get(key: string): Promise<OutboxRow | null>;
  /**
   * Takes rows whose time has come, oldest first, at most one per lane: nobody else performs them for
   * `leaseMs`. Acts that publish a change (ASKED_ACTS) are taken only when their key is in `asked`. What
   * GitHub would not take of an installation now (core/pace.ts) is put off, and comes with how long.
   */
  take(by: {
    owner: string;
    leaseMs: number;
    asked: string[];
    /** Kinds that this process cannot perform. */
    except: ActKind[];
    /** How many at most. */
    most?: number;
    /** Whether all installations are paced, or those that were slowed down. */
    paced?: boolean;
  }): Promise<DueRow[]>;
  /** How long until there is something to take; null when nothing waits. */
  dueIn(asked: string[], except: ActKind[]): Promise<number | null>;
  /**
   * Records success. False when a newer version came meanwhile, which waits for its turn, or when the
   * row was taken over; so for the other two.
   */
  done(id: number, owner: string, version: number, result: unknown): Promise<boolean>;
  /** Records a failure that may pass, to be tried again after `delayMs`; without `burn` it does not count. */
  retry(id: number, owner: string, delayMs: number, error: string, burn?: boolean): Promise<void>;
  /** Records a failure that will not pass; a newer version that came meanwhile stays pending. */
  dead(id: number, owner: string, version: number, reason: string): Promise<void>;
}
