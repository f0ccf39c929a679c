import { createHmac, randomUUID } from "node:crypto";
import type { EmitterWebhookEvent } from "@octokit/webhooks";
import { commentShape, issueShape } from "./shapes/issue.ts";
import { pullShape } from "./shapes/pull.ts";
import { repositoryShape } from "./shapes/repository.ts";
import { userShape } from "./shapes/user.ts";
import type { Change, Comment, Delivery, Pull, Repository, State } from "./state.ts";

/** Where webhooks go; nothing is sent while `url` is null. */
export interface Hook {
  url: string | null;
  secret: string;
}

/** One webhook that was sent, and how it was answered; `status` is null when nobody answered. */
export interface SentWebhook {
  guid: string;
  event: string;
  action: string;
  status: number | null;
}

/** GitHub waits this long for an answer and does not try again. */
const ANSWER_MS = 10_000;

type CommentCreated = EmitterWebhookEvent<"issue_comment.created">["payload"];
type CommentDeleted = EmitterWebhookEvent<"issue_comment.deleted">["payload"];
type CommentEdited = EmitterWebhookEvent<"issue_comment.edited">["payload"];

/** The webhook a change causes, as GitHub documents it; null when the App does not listen for it. */
export function webhookOf(state: State, change: Change): { event: string; payload: object } | null {
  switch (change.kind) {
    case "comment_created": {
      const payload: CommentCreated = { action: "created", ...commentEvent(state, change) };
      return { event: "issue_comment", payload };
    }
    case "comment_deleted": {
      const { by, ...event } = change;
      const sender = userShape(state, by);
      const payload: CommentDeleted = { action: "deleted", ...commentEvent(state, event), sender };
      return { event: "issue_comment", payload };
    }
    case "comment_edited": {
      const changes = { body: { from: change.before } };
      const payload: CommentEdited = { action: "edited", changes, ...commentEvent(state, change) };
      return { event: "issue_comment", payload };
    }
    case "check_run":
    case "review_comment":
    case "reaction":
    case "pull":
      return null;
  }
}

/** What GitHub says when a person closes a pull request. */
export async function pullClosed(
  state: State,
  repository: Repository,
  pull: Pull,
  by: string,
): Promise<object> {
  const shape = await pullShape(state, repository, pull);
  return {
    action: "closed",
    number: pull.number,
    pull_request: { ...shape, closed_at: shape.updated_at },
    repository: repositoryShape(state, repository),
    sender: userShape(state, by),
    installation: { id: repository.installationId, node_id: `MDIz${repository.installationId}` },
  };
}

function commentEvent(
  state: State,
  { repository, comment }: { repository: Repository; comment: Comment },
) {
  const issue = repository.issues.get(comment.issue);
  if (!issue) throw new Error(`no issue ${comment.issue}`);
  return {
    issue: issueShape(state, repository, issue),
    comment: commentShape(state, repository, comment),
    repository: repositoryShape(state, repository),
    sender: userShape(state, comment.author),
    installation: { id: repository.installationId, node_id: `MDIz${repository.installationId}` },
  };
}

/** Signs a payload with the secret, both ways GitHub does. */
function signatures(secret: string, body: string): Record<string, string> {
  const hex = (hash: string) => createHmac(hash, secret).update(body).digest("hex");
  return {
    "x-hub-signature": `sha1=${hex("sha1")}`,
    "x-hub-signature-256": `sha256=${hex("sha256")}`,
  };
}

/** What GitHub's own list says of a webhook that was sent. */
export function deliveryOf(state: State, sent: SentWebhook, payload: object): Delivery {
  const repository: unknown = "repository" in payload ? payload.repository : null;
  const id = repository !== null && typeof repository === "object" && Reflect.get(repository, "id");
  return {
    id: 3_804_004_623_172_000_000n + BigInt(state.nextId()),
    guid: sent.guid,
    deliveredAt: Date.now(),
    redelivery: state.deliveries.some((each) => each.guid === sent.guid),
    statusCode: sent.status,
    event: sent.event,
    action: sent.action,
    installationId: state.installationId,
    repositoryId: typeof id === "number" ? id : null,
    payload,
  };
}

/** Sends one webhook, once. */
export async function sendWebhook(
  hook: Hook,
  appId: number,
  event: string,
  payload: object,
  guid: string = randomUUID(),
): Promise<SentWebhook> {
  const body = JSON.stringify(payload);
  const action = "action" in payload ? String(payload.action) : "";
  const sent: SentWebhook = { guid, event, action, status: null };
  if (!hook.url) return sent;
  try {
    const answer = await fetch(hook.url, {
      method: "POST",
      headers: {
        accept: "*/*",
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/0000000",
        "x-github-delivery": guid,
        "x-github-event": event,
        "x-github-hook-id": "1",
        "x-github-hook-installation-target-id": String(appId),
        "x-github-hook-installation-target-type": "integration",
        ...signatures(hook.secret, body),
      },
      body,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await answer.arrayBuffer();
    return { ...sent, status: answer.status };
  } catch (error) {
    // A host that does not answer is recorded, as on GitHub's own list of deliveries.
    if (error instanceof Error) return sent;
    throw error;
  }
}
