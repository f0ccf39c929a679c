import type { KeyObject } from "node:crypto";

export type Access = "read" | "write";
export type Permissions = Record<string, Access>;
export type Role = "admin" | "maintain" | "write" | "triage" | "read";

export interface User {
  id: number;
  login: string;
  type: "User" | "Bot" | "Organization";
}

export interface Issue {
  id: number;
  number: number;
  title: string;
  body: string;
  author: string;
  state: "open" | "closed";
  /** Whether nobody but people with write access may comment. */
  locked?: boolean;
  createdAt: string;
  updatedAt: string;
}

export interface Comment {
  id: number;
  issue: number;
  author: string;
  body: string;
  createdAt: string;
  updatedAt: string;
}

/** A comment on a line of a pull request's diff; `issue` is the pull request's number. */
export interface ReviewComment extends Comment {
  path: string;
  line: number | null;
  /** The first comment of its thread; absent for that one. */
  replyTo?: number;
  /** The review it was submitted with. */
  review?: number;
  /** Of the first one: whether its thread is resolved. */
  resolved?: boolean;
}

export interface Reaction {
  id: number;
  commentId: number;
  author: string;
  content: string;
  createdAt: string;
}

/** A pull request; title, body and dates lie in the issue of the same number, as on GitHub. */
export interface Pull {
  id: number;
  number: number;
  head: string;
  /** The commit its head was last seen at. */
  lastHead?: string;
  base: string;
  draft: boolean;
}

/** What an App says about a commit. */
export interface CheckRun {
  id: number;
  name: string;
  headSha: string;
  status: string;
  conclusion: string | null;
  detailsUrl: string | null;
  externalId: string;
  output: { title: string | null; summary: string | null };
}

/** One hosted repository; `path` is the bare repository that holds its objects. */
export interface Repository {
  id: number;
  owner: string;
  name: string;
  path: string;
  defaultBranch: string;
  archived: boolean;
  /** Whether the App may use it. */
  installed: boolean;
  /** `owner/name` as it was before; requests are sent on from there. */
  formerNames: string[];
  /** Of whoever owns it. */
  installationId: number;
  collaborators: Record<string, Role>;
  issues: Map<number, Issue>;
  comments: Map<number, Comment>;
  reviewComments: Map<number, ReviewComment>;
  reactions: Reaction[];
  pulls: Map<number, Pull>;
  checkRuns: CheckRun[];
}

/** An installation token and what it may do; a revoked one has expired. */
export interface Token {
  value: string;
  installationId: number;
  permissions: Permissions;
  repositoryIds: number[];
  expiresAt: number;
}

/** One attempt to deliver a webhook. */
export interface Delivery {
  /** Above 2^53, as GitHub's are. */
  id: bigint;
  guid: string;
  deliveredAt: number;
  redelivery: boolean;
  /** Null when nobody answered. */
  statusCode: number | null;
  event: string;
  action: string;
  installationId: number;
  repositoryId: number | null;
  payload: object;
}

/** Everything the stand-in knows. */
export interface State {
  /** `http://127.0.0.1:PORT` */
  url: string;
  app: { id: number; slug: string; publicKey: KeyObject; permissions: Permissions };
  installationId: number;
  /** Whether pull requests may be drafts; GitHub's free plan for private repositories says no. */
  drafts: boolean;
  users: Map<string, User>;
  tokens: Map<string, Token>;
  /** How long new tokens live: GitHub's an hour. */
  tokenLifetimeMs: number;
  repositories: Repository[];
  /** Oldest first. */
  deliveries: Delivery[];
  /** Sends a webhook once more, under its own guid. */
  sendAgain: (delivery: { guid: string; event: string; payload: object }) => void;
  nextId: () => number;
  /** Called after every change of a comment, reaction or pull request. */
  changed: (change: Change) => void;
}

/** What changed, for webhooks and for whoever waits. */
export type Change =
  | { kind: "comment_created"; repository: Repository; comment: Comment }
  | { kind: "comment_edited"; repository: Repository; comment: Comment; before: string }
  | { kind: "comment_deleted"; repository: Repository; comment: Comment; by: string }
  | { kind: "review_comment"; repository: Repository; comment: ReviewComment }
  | { kind: "reaction"; repository: Repository; reaction: Reaction }
  | { kind: "pull"; repository: Repository; pull: Pull }
  | { kind: "check_run"; repository: Repository; run: CheckRun };

/** Whose texts outlive their account: GitHub names no user for them. */
export const GHOST = "ghost";

/** The login under which the App acts. */
export function botLogin(state: State): string {
  return `${state.app.slug}[bot]`;
}

/** The user of this login; people appear when they are first named. */
export function userOf(state: State, login: string): User {
  const known = state.users.get(login);
  if (known) return known;
  const user: User = {
    id: state.nextId(),
    login,
    type: login.endsWith("[bot]") ? "Bot" : "User",
  };
  state.users.set(login, user);
  return user;
}

/** The time as GitHub writes it: whole seconds. */
export function timestamp(ms = Date.now()): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** A number for a new issue or pull request: they share one count. */
export function nextNumber(repository: Repository): number {
  return Math.max(0, ...repository.issues.keys()) + 1;
}
