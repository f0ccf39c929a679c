import type { Command, Job } from "./job.ts";

/** Commands and the jobs they led to. */
export interface CommandStore {
  command(id: string): Promise<Command | null>;
  jobsOf(commandId: string): Promise<Job[]>;
  /** The jobs that were asked for on an issue or pull request, oldest first. */
  askedAt(repoId: number, issue: number): Promise<Job[]>;
  /** The job that opened this pull request, if one of ours did. */
  jobOfPull(repoId: number, pull: number): Promise<Job | null>;
  /** The jobs that added to it later, oldest first. */
  followUpsOf(repoId: number, pull: number): Promise<Job[]>;
  /** The jobs that went on with one of these, wherever that was asked for, oldest first. */
  wentOnWith(jobIds: string[]): Promise<Job[]>;
  /** Stores when a pull request was merged, in ms since the epoch, if jobs opened it or added to it. */
  merged(repoId: number, pull: number, at: number): Promise<void>;
}

/** A command as it stands. */
export interface Told {
  command: Command;
  jobs: Job[];
  /** The jobs that went on with its own, or added to the pull requests that they opened, oldest first. */
  later: Job[];
}

/** A job that a new one goes on with, and those that were known to have done so when that was judged. */
export interface TakenUp {
  job: string;
  known: string[];
}
