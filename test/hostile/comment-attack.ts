import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Comment } from "../../demo/github/state.ts";
import { timestamp, userOf } from "../../demo/github/state.ts";
import { type SentWebhook, sendWebhook, webhookOf } from "../../demo/github/webhooks.ts";
import type { Act } from "../../src/core/act.ts";
import type { World } from "../support/world.ts";

/** The payload of a comment's webhook, as an attack may bend it. */
export interface Payload {
  action: string;
  issue: { number: number; pull_request?: unknown; [key: string]: unknown };
  comment: {
    user: object | null;
    author_association: string;
    created_at: string;
    updated_at: string;
    performed_via_github_app: unknown;
    [key: string]: unknown;
  };
  sender: object | null;
  repository: { id: number; name: string; owner: object; [key: string]: unknown };
  [key: string]: unknown;
}

/** Whatever GitHub itself would sign: a comment with its webhook bent, sent to the running server. */
export async function attack(
  world: World,
  by: {
    issue: number;
    login: string;
    body: string;
    repository?: string;
    guid?: string;
    comment?: Comment;
    bend?: (payload: Payload) => void;
  },
): Promise<{ comment: Comment; webhook: SentWebhook }> {
  const { github } = world;
  const repository = github.repository(by.repository ?? "shop");
  const at = timestamp();
  const author = userOf(github.state, by.login).login;
  const id = by.comment?.id ?? github.state.nextId();
  const dates = { createdAt: at, updatedAt: at };
  const comment = by.comment ?? { id, issue: by.issue, author, body: by.body, ...dates };
  repository.comments.set(comment.id, comment);
  const made = webhookOf(github.state, { kind: "comment_created", repository, comment });
  const payload = structuredClone(made?.payload) as Payload;
  by.bend?.(payload);
  const { appId, hook } = { appId: github.state.app.id, hook: github.hook };
  const webhook = await sendWebhook(hook, appId, "issue_comment", payload, by.guid);
  return { comment, webhook };
}

/** What the server stored about an issue before it answered the webhook: states of jobs, and texts. */
export function stored(world: World, issue: number): { jobs: string[]; texts: string[] } {
  const acts = rowsOf(world, "SELECT act FROM outbox ORDER BY id").map(
    (row) => JSON.parse(String(row.act)) as Act,
  );
  const texts = acts.flatMap((act) =>
    act.kind === "comment" && act.issue === issue ? [act.body] : [],
  );
  return { jobs: jobsOf(world, issue).map((row) => String(row.state)), texts };
}

/** The jobs that an issue led to. */
export function jobIds(world: World, issue: number): string[] {
  return jobsOf(world, issue).map((row) => String(row.id));
}

function jobsOf(world: World, issue: number) {
  const rows = rowsOf(world, "SELECT id, spec, state FROM jobs ORDER BY id");
  return rows.filter((row) => JSON.parse(String(row.spec)).issue === issue);
}

function rowsOf(world: World, query: string) {
  const file = path.join(world.dataDir, "draftsmith.db");
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}

/** Nothing at all: no job, no word. */
export const NOTHING = { jobs: [], texts: [] };
