import type { RepoRef, Subject } from "./job.ts";

/** An account as GitHub names it: the number stays, the login can be given up and taken by another. */
export interface Account {
  id: number;
  login: string;
  type: string;
}

/** Lines of a diff that a review comment speaks of. */
export interface Spot {
  path: string;
  /** The last line, 1-based; null when the comment is on the whole file, or its line is gone. */
  line: number | null;
  /** The first line where there are several. */
  startLine: number | null;
  /** LEFT: of the file as it was before. */
  side: "LEFT" | "RIGHT";
  /** The hunk of the diff up to those lines. */
  hunk: string;
  /** The commit whose diff it is. */
  commit: string;
}

/** How a request came in: what was written or done on GitHub. */
export type Way =
  /** A comment on an issue or a pull request. */
  | { kind: "comment"; id: number }
  /** A comment on lines of a pull request; `thread` is the first one of its thread. */
  | { kind: "review_comment"; id: number; thread: number; spot: Spot }
  /** A submitted review; `changes`: it asks for changes of a pull request of ours. */
  | { kind: "review"; id: number; changes?: boolean }
  /** The text of a new issue or pull request. */
  | { kind: "opened" }
  /** A label on an issue, or an issue assigned to the App: the issue itself is the task. */
  | { kind: "labeled"; label: string }
  | { kind: "assigned" };

/** What a person did on GitHub that may ask for work: what its webhook told, as far as we use it. */
export interface Request {
  way: Way;
  repo: RepoRef;
  issue: { number: number; isPull: boolean };
  /** Where a person sees what was written or done. */
  url: string;
  /** The words that may hold commands; empty where the way itself is one. */
  body: string;
  /** Who wrote the words, labelled or assigned; null for an account that was deleted meanwhile. */
  author: Account | null;
  sender: Account | null;
  /** Whether an App wrote it in the name of `author`. */
  viaApp: boolean;
  /** author_association: a hint about who is owed a reply, never a permission. */
  association: string;
  /** When it was said or done; ISO 8601, as GitHub gave it. */
  at: string;
  /** Whether the words were changed since. */
  edited: boolean;
  /** Whether the issue is closed, where that matters; absent: not, or not told. */
  closed?: boolean;
  /** The issue or pull request itself; null when the webhook did not tell its text. */
  subject: Omit<Subject, "revision"> | null;
}

const SHORT = {
  review_comment: "rc",
  review: "rv",
  opened: "op",
  labeled: "la",
  assigned: "as",
} as const;

/** Unique among the requests of a repository, and the same in every copy of one: by it a request is known. */
export function wayKey({ way, issue, at }: Pick<Request, "way" | "issue" | "at">): string {
  switch (way.kind) {
    case "comment":
      return String(way.id);
    case "review_comment":
    case "review":
      return `${SHORT[way.kind]}${way.id}`;
    case "opened":
      return `${SHORT.opened}${issue.number}`;
    default:
      // GitHub numbers neither, and tells the time of the issue's last change.
      return `${SHORT[way.kind]}${issue.number}@${Date.parse(at)}`;
  }
}

/** The key under which a request is stored. */
export function requestKey(request: Pick<Request, "repo" | "way" | "issue" | "at">): string {
  return `${request.repo.id}/${wayKey(request)}`;
}
