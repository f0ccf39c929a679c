import { randomUUID } from "node:crypto";

/** What a test may say about a comment; the rest is as GitHub sends it. */
export interface CommentEventOptions {
  guid?: string;
  body?: string;
  commentId?: number;
  author?: { id: number; login: string; type: string } | null;
  sender?: { id: number; login: string; type: string };
  association?: string;
  updatedAt?: string;
  isPull?: boolean;
  issue?: number;
  labels?: string[];
}

const ada = { id: 5, login: "ada", type: "User" };

/** An `issue_comment.created` delivery as `Probot.receive` takes it. */
export function commentEvent(options: CommentEventOptions = {}) {
  const issue = options.issue ?? 12;
  const commentId = options.commentId ?? 1001;
  return {
    id: options.guid ?? randomUUID(),
    name: "issue_comment" as const,
    payload: {
      action: "created",
      installation: { id: 7, node_id: "MDI=" },
      repository: {
        id: 42,
        name: "shop",
        full_name: "acme/shop",
        private: true,
        owner: { id: 1, login: "acme", type: "Organization" },
      },
      issue: {
        number: issue,
        state: "open",
        title: "Auth",
        ...(options.labels && { labels: options.labels.map((name) => ({ id: 3, name })) }),
        ...(options.isPull
          ? { pull_request: { url: "https://api.github.com/repos/acme/shop/pulls/12" } }
          : {}),
      },
      comment: {
        id: commentId,
        html_url: `https://github.com/acme/shop/issues/${issue}#issuecomment-${commentId}`,
        body: options.body ?? "/codex refactor auth",
        user: options.author === undefined ? ada : options.author,
        author_association: options.association ?? "COLLABORATOR",
        created_at: "2026-03-01T10:00:00Z",
        updated_at: options.updatedAt ?? "2026-03-01T10:00:00Z",
      },
      sender: options.sender ?? ada,
    },
  };
}
