import { z } from "zod";
import type { CommentFacts } from "../core/policy.ts";

const account = z.object({ id: z.number(), login: z.string(), type: z.string() });

/** The parts of `issue_comment` that matter (docs.github.com/webhooks/webhook-events-and-payloads#issue_comment). */
const payload = z.object({
  action: z.string(),
  installation: z.object({ id: z.number() }),
  repository: z.object({
    id: z.number(),
    name: z.string(),
    owner: z.object({ login: z.string() }),
  }),
  issue: z.object({
    number: z.number(),
    pull_request: z.unknown().optional(),
    title: z.string().optional().catch(undefined),
    body: z.string().nullish().catch(undefined),
    labels: z
      .array(z.object({ name: z.string() }))
      .default([])
      .catch([]),
    // GitHub names the type; where a host does not, the role decides all the same.
    user: account
      .extend({ type: z.string().default("User") })
      .nullish()
      .catch(undefined),
  }),
  comment: z.object({
    id: z.number(),
    html_url: z.string().default(""),
    body: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string().optional(),
    author_association: z.string().default("NONE"),
    // Null for an account that was deleted meanwhile.
    user: account.nullable(),
    performed_via_github_app: z.unknown().optional(),
  }),
  sender: account.nullable(),
});

/** Reads the facts of a comment; null when the payload lacks what is needed to act on it. */
export function commentFacts(raw: unknown): CommentFacts | null {
  const parsed = payload.safeParse(raw);
  if (!parsed.success) return null;
  const { action, installation, repository, issue, comment, sender } = parsed.data;
  return {
    action,
    repo: {
      installationId: installation.id,
      id: repository.id,
      owner: repository.owner.login,
      name: repository.name,
    },
    issue: {
      number: issue.number,
      isPull: issue.pull_request !== undefined && issue.pull_request !== null,
    },
    commentId: comment.id,
    commentUrl: comment.html_url,
    body: comment.body ?? "",
    association: comment.author_association,
    author: comment.user,
    viaApp: (comment.performed_via_github_app ?? null) !== null,
    sender,
    createdAt: comment.created_at,
    updatedAt: comment.updated_at ?? comment.created_at,
    subject: subjectOf(issue),
  };
}

/** The text of the issue or pull request; an empty one has the body null, an untold one has none. */
function subjectOf({ title, body, user, labels }: z.infer<typeof payload>["issue"]) {
  if (title === undefined && body === undefined) return null;
  const names = labels.map(({ name }) => name);
  const told = { title: title ?? "", body: body ?? "", author: user ?? null };
  return names.length > 0 ? { ...told, labels: names } : told;
}
