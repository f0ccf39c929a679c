import type { ActKind, ActOf, ActValues } from "./act.ts";
import type { FileChange, RepoRef } from "./job.ts";
import type { Account, Way } from "./request.ts";
import type { ReviewThread } from "./review-thread.ts";
import type { Role } from "./role.ts";

export type * from "./command-store.ts";
export type * from "./deliveries.ts";
export type * from "./identity.ts";
export type * from "./premises.ts";
export type * from "./sandbox-port.ts";
export type * from "./skill-ports.ts";
export type * from "./stores.ts";

/** The operator's emergency stop. */
export interface KillSwitch {
  /** Why nothing may start or leave for now; null when work goes on. */
  paused(): Promise<string | null>;
}

/** Wakes those who take jobs. Losing or repeating a call changes nothing: the claim of a row decides. */
export interface Queue {
  /** Calls `serve` from now on when there may be a job, at most `slots` at once; it gives false when there was none. */
  start(slots: number, serve: () => Promise<boolean>): Promise<void>;
  /** There may be a job. */
  wake(): void;
  /** Calls it no more, and resolves when the calls under way have ended. */
  stop(): Promise<void>;
}

/** Reads from GitHub, each with the smallest token that can do it. */
export interface GitHub {
  /**
   * Role of a person by the collaborator-permission API; "none" when GitHub finds nobody of that login
   * there, or somebody whose number is not the person's: logins change hands.
   */
  permission(repo: RepoRef, actor: { id: number; login: string }): Promise<Role>;
  /** Default branch; null sha when the repository is empty. */
  repository(repo: RepoRef): Promise<{ defaultBranch: string; archived: boolean }>;
  /** Commit a branch points at; null when there is no such branch. */
  branchSha(repo: RepoRef, branch: string): Promise<string | null>;
  /** A file of the default branch, as text; null when it does not exist. */
  file(repo: RepoRef, path: string): Promise<string | null>;
  pull(repo: RepoRef, number: number): Promise<PullFacts>;
  /**
   * Comments of an issue or pull request: of each kind the newest 100 that are not newer than what was
   * asked, and newer ones as far as they were met. Title and body come from the webhook only.
   */
  conversation(
    repo: RepoRef,
    issue: number,
    until: { way: Way; at: string; isPull: boolean },
  ): Promise<Conversation>;
  /** The threads of comments on lines of a pull request, oldest first. */
  threads(repo: RepoRef, pull: number): Promise<ReviewThread[]>;
  /** Lends git a reading token of this one repository for as long as `work` runs. */
  readGit<T>(repo: RepoRef, work: (token: GitToken) => Promise<T>): Promise<T>;
}

/** GitHub for one attempt of a job, with tokens that nobody else uses. */
export interface JobAccess {
  /** `end` gives up what the job may do: its tokens are revoked once nothing uses them any more. */
  forJob(jobId: string): { github: GitHub; end(): void };
}

export interface PullFacts {
  number: number;
  state: "open" | "closed";
  headRef: string;
  headSha: string;
  /** False when the head lies in another repository (a fork). */
  sameRepo: boolean;
  baseRef: string;
  /** Its page. */
  url: string;
}

export interface Conversation {
  /** Oldest first. */
  remarks: Remark[];
  /** How many older comments there are, at least, that were not read. */
  unread: number;
}

/** A comment, or a review comment on a line of a diff; ids of the two kinds cannot be compared. */
export interface Remark {
  kind: "comment" | "review";
  id: number;
  /** Null when the account is gone. */
  author: Account | null;
  /** File and line it speaks of. */
  place: string | null;
  body: string;
  /** ISO 8601 in whole seconds, as GitHub gives it. */
  createdAt: string;
  updatedAt: string;
}

/** Performs acts on GitHub. Throws TransientError (try again) or UserError (will never work). */
export interface Performer {
  /**
   * `lane` is the act's: what it may do ends with the job of that lane. `insist` is called right before
   * each write, and throws when the act went to another process meanwhile. When `signal` aborts, what leaves
   * nothing that people see is cut off.
   */
  perform<K extends ActKind>(
    act: ActOf<K>,
    previous: ActValues[K] | null,
    by: { lane: string; insist: () => void; signal?: AbortSignal },
  ): Promise<ActValues[K]>;
}

/** The checkout of one job. Paths are absolute on the host and the same inside the sandbox. */
export interface Workspace {
  jobId: string;
  /** The files: writable in the sandbox. */
  tree: string;
  /** Everything the sandbox may write: the tree, a private git directory, HOME and TMPDIR. */
  writable: string[];
  /** What the sandbox may read besides the system's toolchain. */
  readable: string[];
  home: string;
  tmp: string;
  /** Who its commands run as, when the server is root: no other open workspace has it. */
  uid: number | null;
}

/** Gives a token to git; called again with the one that was refused. */
export type GitToken = (refused?: string) => Promise<string>;

/** Mirrors and workspaces: the only place where git runs on the host. */
export interface Workspaces {
  /** Brings commits into the mirror of the repository; concurrent calls share one fetch. */
  fetch(repo: RepoRef, shas: string[], token: GitToken): Promise<void>;
  /**
   * A registered, locked worktree with a clean checkout of `sha`, over it the files of the commit that
   * `from` gives. `fence` is the claim that opens it; an intact one that the claim `resume` opened
   * is reused as it is.
   */
  open(request: {
    jobId: string;
    repo: RepoRef;
    sha: string;
    from?: () => Promise<string | null>;
    fence: number;
    resume: number | null;
  }): Promise<Workspace & { resumed: boolean }>;
  /**
   * Takes the files between two steps: a thin pack of a commit of them on `parent`, for `unpack`. "same"
   * when the tree is still the `known` one; "refused" when they cannot be taken, or not in `maxBytes`.
   */
  pack(request: {
    workspace: Workspace;
    repo: RepoRef;
    parent: string;
    known: string | null;
    maxBytes: number;
  }): Promise<
    | { status: "same" }
    | { status: "packed"; tree: string; commit: string; pack: Buffer }
    | { status: "refused"; reason: string }
  >;
  /** A thin pack of a commit of the mirror on its parent. */
  packCommit(repo: RepoRef, commit: string, parent: string): Promise<Buffer>;
  /**
   * Brings a packed commit into the mirror, through a strict object check, and keeps it there for the job;
   * false when the pack does not hold it whole. `parent` must be there.
   */
  unpack(request: {
    jobId: string;
    repo: RepoRef;
    parent: string;
    commit: string;
    pack: Uint8Array;
  }): Promise<boolean>;
  /**
   * Encrypts bytes with a key of their own and seals them in a commit without a parent, that is there while
   * `work` runs.
   */
  withSealed<T>(
    repo: RepoRef,
    bytes: Uint8Array,
    work: (sealed: { commit: string; key: string }) => Promise<T>,
  ): Promise<T>;
  /** What was sealed in a commit that was fetched; null when the key does not open it. */
  unseal(repo: RepoRef, sealed: { commit: string; key: string }): Promise<Buffer | null>;
  /** Takes the state of the tree as a commit on `parent`, through the sandbox and a strict object check. */
  snapshot(workspace: Workspace, repo: RepoRef, parent: string, message: string): Promise<Snapshot>;
  /** Ids of the repositories that have a mirror here with something in it, in order. */
  mirrors(): Promise<number[]>;
  /** Unlocks and removes the worktree and everything the job left. */
  close(jobId: string, repo: RepoRef): Promise<void>;
}

export type Snapshot =
  | { status: "change"; commit: string; tree: string; files: ChangedFile[] }
  | { status: "empty" }
  /** The tree cannot be taken: what is wrong, in words the agent can act on. */
  | { status: "refused"; reason: string };

/** A changed file with the modes that tell links and submodules apart. */
export interface ChangedFile extends FileChange {
  oldMode: string;
  newMode: string;
  /** Of a new or changed symbolic link: the path of the tree it leads to at last. */
  leadsTo: string | null;
}

/** The half of publishing that goes by git. */
export interface GitPush {
  /** Puts a commit of the mirror under one of our private refs, whatever stood there; cut off by `signal`. */
  pushRef(
    repo: RepoRef,
    commit: string,
    ref: string,
    token: string,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Deletes one of our private refs; one that is gone already is fine. */
  deleteRef(repo: RepoRef, ref: string, token: string): Promise<void>;
  /**
   * Moves a branch from `expectedOld` (null: it must not exist) to a commit that follows it. A branch
   * that stands elsewhere is left alone. Throws UserError when GitHub refuses or the branch is gone.
   */
  pushBranch(
    repo: RepoRef,
    commit: string,
    branch: string,
    expectedOld: string | null,
    token: string,
  ): Promise<{ status: "done" } | { status: "moved"; sha: string }>;
}

/** Questions to the object store of a mirror. */
export interface Objects {
  /** A file of a commit as text; null when it is absent, no regular file, or larger than `maxBytes`. */
  file(repo: RepoRef, commit: string, path: string, maxBytes: number): Promise<string | null>;
  /** Paths of a commit whose last component is `name`. */
  find(repo: RepoRef, commit: string, name: string): Promise<string[]>;
  /**
   * The whole patch from one commit to another, also of binary files, in the order of the changed files;
   * null when it is longer than `maxBytes`.
   */
  patch(repo: RepoRef, from: string, to: string, maxBytes: number): Promise<string | null>;
  /** What a commit changed since its one parent; null when the mirror does not hold it (any more). */
  changed(repo: RepoRef, commit: string): Promise<ChangedFile[] | null>;
  /** What `to` changed since it parted from `from`, as a unified diff cut at `maxBytes` with a notice. */
  diff(repo: RepoRef, from: string, to: string, maxBytes: number): Promise<string>;
  /**
   * Merges two commits in memory: the merged tree, or the files that conflict. With `base`, the parent of
   * `theirs`, only what that one commit did is taken over, wherever the two histories parted.
   */
  merge(
    repo: RepoRef,
    ours: string,
    theirs: string,
    base?: string,
  ): Promise<{ tree: string } | { conflicts: string[] }>;
  /** A commit of `tree` on `parent` in the mirror, with our fixed identity. */
  commit(
    repo: RepoRef,
    tree: string,
    parent: string,
    message: string,
  ): Promise<{ commit: string; files: ChangedFile[] }>;
}

/** Structured log; fields first, as pino takes them. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A secret in a text that is about to leave: where and what, never the value. */
export interface SecretFinding {
  /** The text it stands in, as the caller named it: a path, "the commit message". */
  where: string;
  /** 1-based line of that text. */
  line: number;
  /** What kind of secret it is, in words. */
  what: string;
  /** Whether it is one of our own secrets, in whatever spelling, or a piece of one. */
  own: boolean;
}

/** Looks for secrets in what is about to leave. */
export interface SecretScanner {
  /** One finding for each kind of secret in each line, in the order of the texts. */
  scan(texts: { where: string; text: string }[]): Promise<SecretFinding[]>;
}
