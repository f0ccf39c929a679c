import type { RepoRef } from "./job.ts";

/**
 * One write to GitHub. Each kind is idempotent: performing it again finds what the first try left.
 * The outbox stores an act under a unique key before it is performed.
 */
export type Act =
  | {
      kind: "reaction";
      repo: RepoRef;
      /** Absent: a comment on an issue or a pull request. */
      on?: "review_comment" | "issue";
      /** Of the comment; of an issue or a pull request its number. */
      commentId: number;
      content: "eyes" | "rocket" | "-1" | "confused";
    }
  /** The one comment that carries `marker`: created, or edited when it stands already. */
  | {
      kind: "comment";
      repo: RepoRef;
      issue: number;
      /** The first comment of the review thread that it answers; absent for one on the issue or pull request. */
      thread?: number;
      marker: string;
      body: string;
      /** ISO 8601; the comment cannot be older than this. */
      since: string;
      /** Set when no more edits are expected: copies of the comment are looked for then. */
      last?: true;
    }
  /**
   * Sends a local commit to a private ref of the repository. `workflows`: whether it changes workflows,
   * which takes a permission of its own; so for the commit and the branch.
   */
  | { kind: "push"; repo: RepoRef; commit: string; ref: string; workflows?: boolean }
  /** Sends a sealed commit with the files of a job at work to a private ref: tried once, for the next step has newer ones. */
  | { kind: "keep"; repo: RepoRef; commit: string; ref: string }
  | { kind: "delete_ref"; repo: RepoRef; ref: string }
  /** Creates a commit through the Git data API, which signs it as the App. */
  | {
      kind: "commit";
      repo: RepoRef;
      tree: string;
      parents: string[];
      message: string;
      workflows?: boolean;
    }
  /** Points a branch at `sha`: created when `from` is null, else fast-forwarded from it. */
  | {
      kind: "branch";
      repo: RepoRef;
      branch: string;
      sha: string;
      from: string | null;
      workflows?: boolean;
    }
  | {
      kind: "pull";
      repo: RepoRef;
      head: string;
      base: string;
      title: string;
      body: string;
      draft: boolean;
    }
  | { kind: "pull_body"; repo: RepoRef; pull: number; body: string }
  /** Marks a draft as ready for review. */
  | { kind: "ready"; repo: RepoRef; pull: number }
  /** Marks a thread of review comments as resolved; `thread` is GitHub's name of it. */
  | { kind: "resolve"; repo: RepoRef; thread: string }
  /** How the checks of a published commit ended, where the App may say so. */
  | {
      kind: "check_run";
      repo: RepoRef;
      sha: string;
      jobId: string;
      conclusion: "success" | "failure" | "neutral";
      title: string;
      /** Markdown. */
      summary: string;
      /** The page of the pull request. */
      url: string;
    };

export type ActKind = Act["kind"];

/** What publishes a change: done only while its job waits for it, never behind its back. */
export const ASKED_ACTS: ActKind[] = ["push", "commit", "branch", "pull"];
/** Acts that write a text, which may be edited again and again; everything else is done once. */
export const TEXT_ACTS: ActKind[] = ["comment", "pull_body"];

/** What performing an act gave. */
export interface ActValues {
  reaction: null;
  comment: { id: number };
  push: null;
  /** The ref it lies under. */
  keep: { ref: string };
  delete_ref: null;
  /** null: this host has no usable Git data API, push the commit itself instead. */
  commit: { sha: string } | null;
  /** `moved`: the branch stood elsewhere and was left alone; the sha is where it stands. */
  branch: { status: "done" } | { status: "moved"; sha: string };
  /** `draft` is false where the host does not offer drafts. */
  pull: { number: number; url: string; draft: boolean };
  pull_body: null;
  resolve: null;
  ready: null;
  /** null: the installation does not grant it. */
  check_run: { id: number } | null;
}

/** An act of one kind. */
export type ActOf<K extends ActKind> = Extract<Act, { kind: K }>;

/** A stored act. `lane` orders: acts of one lane are performed one after another. */
export interface OutboxRow {
  id: number;
  key: string;
  lane: string;
  act: Act;
  /** Raised whenever a newer body replaces this one. */
  version: number;
  attempts: number;
  state: "pending" | "done" | "dead";
  /** The value of the last success (an edited comment keeps its id), or why it is dead. */
  result: unknown;
}

/** The lane of a job's own acts: with it goes what that job may do. */
export function jobLane(jobId: string): string {
  return `job:${jobId}`;
}

/** An act with every text in it redacted; shas, refs and names stay as they are. */
export function redactedAct<A extends Act>(act: A, redact: (text: string) => string): A {
  switch (act.kind) {
    case "comment":
    case "pull_body":
      return { ...act, body: redact(act.body) };
    case "pull":
      return { ...act, title: redact(act.title), body: redact(act.body) };
    case "check_run":
      return { ...act, title: redact(act.title), summary: redact(act.summary) };
    case "commit":
      return { ...act, message: redact(act.message) };
    default:
      return act;
  }
}
