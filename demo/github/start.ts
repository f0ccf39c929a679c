import { createServer } from "node:http";
import { prepareBare } from "./bare.ts";
import { type GitHubOptions, initialState } from "./initial-state.ts";
import { type Review, submitReview } from "./reviews.ts";
import { type RecordedRequest, serve } from "./serve.ts";
import {
  type Change,
  type Comment,
  type Repository,
  type State,
  timestamp,
  userOf,
} from "./state.ts";
import {
  deliveryOf,
  type Hook,
  pullClosed,
  type SentWebhook,
  sendWebhook,
  webhookOf,
} from "./webhooks.ts";
import { guardWorkflows } from "./workflows.ts";

/** A running stand-in. */
export interface GitHubStandIn {
  /** `http://127.0.0.1:PORT`; the API answers at its root and under /api/v3. */
  url: string;
  host: string;
  /** Set `url` to receive webhooks. */
  hook: Hook;
  state: State;
  requests: RecordedRequest[];
  webhooks: SentWebhook[];
  repository: (name: string) => Repository;
  /** A person comments; resolves when the webhook was answered. */
  comment: (by: { repository: string; issue: number; login: string; body: string }) => Promise<{
    comment: Comment;
    webhook: SentWebhook;
  }>;
  /** Sends the webhook of a stored comment again, under the same or another delivery id. */
  redeliver: (repository: string, comment: Comment, guid?: string) => Promise<SentWebhook>;
  /** A person deletes a comment; resolves when the webhook was answered. */
  remove: (by: { repository: string; comment: Comment; login: string }) => Promise<SentWebhook>;
  /** A person closes a pull request; resolves when the webhook was answered. */
  closePull: (by: { repository: string; number: number; login: string }) => Promise<SentWebhook>;
  /** A person submits a review; resolves when its webhooks were answered. */
  review: (by: Review) => Promise<SentWebhook[]>;
  /** Calls back after each change; returns how to stop that. */
  onChange: (listener: (change: Change) => void) => () => void;
  close: () => Promise<void>;
}

/** Starts a GitHub stand-in on 127.0.0.1: REST, webhooks and git over HTTP, on real bare repositories. */
export async function startGitHub(options: GitHubOptions): Promise<GitHubStandIn> {
  const requests: RecordedRequest[] = [];
  const webhooks: SentWebhook[] = [];
  const listeners = new Set<(change: Change) => void>();
  const onTheWay = new Set<Promise<SentWebhook>>();
  const hook: Hook = { url: null, secret: options.webhookSecret };

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const host = `127.0.0.1:${address.port}`;
  const state = initialState(options, `http://${host}`, (change) => {
    const webhook = webhookOf(state, change);
    if (webhook) send(webhook.event, webhook.payload);
    for (const listener of listeners) listener(change);
  });
  await Promise.all(
    state.repositories.map(async ({ path }) => {
      await prepareBare(path);
      await guardWorkflows(path);
    }),
  );

  function send(event: string, payload: object, guid?: string): Promise<SentWebhook> {
    const { url } = hook;
    const sending = sendWebhook(hook, state.app.id, event, payload, guid).then((sent) => {
      if (url) {
        webhooks.push(sent);
        state.deliveries.push(deliveryOf(state, sent, payload));
      }
      return sent;
    });
    onTheWay.add(sending);
    return sending.finally(() => onTheWay.delete(sending));
  }

  state.sendAgain = ({ event, payload, guid }) => void send(event, payload, guid);

  function repository(name: string): Repository {
    const found = state.repositories.find((each) => each.name === name);
    if (!found) throw new Error(`no repository ${name}`);
    return found;
  }

  async function redeliver(name: string, comment: Comment, guid?: string): Promise<SentWebhook> {
    const change = { kind: "comment_created", repository: repository(name), comment } as const;
    return send("issue_comment", webhookOf(state, change)?.payload ?? {}, guid);
  }

  const fault = options.fault ?? (() => undefined);
  server.on("request", (incoming, outgoing) => {
    serve(state, requests, fault, incoming, outgoing).catch((error: unknown) => {
      outgoing.destroy(error instanceof Error ? error : undefined);
    });
  });

  return {
    url: state.url,
    host,
    hook,
    state,
    requests,
    webhooks,
    repository,
    redeliver,
    async comment({ repository: name, issue, login, body }) {
      const target = repository(name);
      const at = timestamp();
      const comment: Comment = {
        id: state.nextId(),
        issue,
        author: userOf(state, login).login,
        body,
        createdAt: at,
        updatedAt: at,
      };
      target.comments.set(comment.id, comment);
      for (const listener of listeners) {
        listener({ kind: "comment_created", repository: target, comment });
      }
      return { comment, webhook: await redeliver(name, comment) };
    },
    async remove({ repository: name, comment, login }) {
      const target = repository(name);
      target.comments.delete(comment.id);
      const change = { kind: "comment_deleted", repository: target, comment, by: login } as const;
      for (const listener of listeners) listener(change);
      return send("issue_comment", webhookOf(state, change)?.payload ?? {});
    },
    async closePull({ repository: name, number, login }) {
      const target = repository(name);
      const pull = target.pulls.get(number);
      const issue = target.issues.get(number);
      if (!pull || !issue) throw new Error(`no pull request ${number}`);
      issue.state = "closed";
      issue.updatedAt = timestamp();
      for (const listener of listeners) listener({ kind: "pull", repository: target, pull });
      return send("pull_request", await pullClosed(state, target, pull, login));
    },
    async review(by) {
      const target = repository(by.repository);
      const pull = target.pulls.get(by.number);
      if (!pull) throw new Error(`no pull request ${by.number}`);
      const told = await submitReview(state, target, pull, by);
      return Promise.all(told.map(({ event, payload }) => send(event, payload)));
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      hook.url = null;
      await Promise.allSettled(onTheWay);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
