import type { RepoRef } from "./job.ts";

/** A new comment as its webhook told it: only what we use. */
export interface CommentFacts {
  repo: RepoRef;
  issue: { number: number; isPull: boolean };
  commentId: number;
  commentUrl: string;
  body: string;
  author: { id: number; login: string; type: string };
  sender: { id: number; type: string };
  /** author_association: a hint about who is owed a reply, never a permission. */
  association: string;
  /** ISO 8601, as GitHub gave it. */
  createdAt: string;
  updatedAt: string;
}

export type Verdict =
  | { status: "admitted" }
  /** `told`: whether the person could reasonably expect an answer. */
  | { status: "refused"; reason: string; told: boolean };

/** Roles of the collaborator-permission API that may start work. */
const MAY_START = new Set(["write", "maintain", "admin"]);

/** Whether a role may start work; anything that is not known to be enough is refused. */
export function mayStart(role: string): boolean {
  return MAY_START.has(role);
}

/** First half of the gate, without asking GitHub: people only, and only what they wrote themselves. */
export function admitActor(facts: CommentFacts): Verdict {
  if (facts.author.type !== "User" || facts.sender.type !== "User") {
    return { status: "refused", reason: "only people can start work, not bots", told: false };
  }
  if (facts.author.id !== facts.sender.id) {
    return { status: "refused", reason: "the sender did not write the comment", told: false };
  }
  if (facts.createdAt !== facts.updatedAt) {
    return {
      status: "refused",
      reason: "an edited comment cannot start work; write a new comment instead",
      told: true,
    };
  }
  return { status: "admitted" };
}

/**
 * Second half: the role by the collaborator-permission API decides. `association` (the comment's
 * author_association) is too unreliable to admit anyone; it only tells who deserves a reply.
 */
export function admitRole(role: string, association: string): Verdict {
  if (mayStart(role)) return { status: "admitted" };
  return {
    status: "refused",
    reason: "only people with write access to this repository can start work here",
    told: isInsider(association),
  };
}

/** Whether someone is close enough to the repository to be owed a reply. */
export function isInsider(association: string): boolean {
  return ["OWNER", "MEMBER", "COLLABORATOR"].includes(association);
}
