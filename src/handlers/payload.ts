import { z } from "zod";
import type { RepoRef } from "../core/job.ts";
import type { Request } from "../core/request.ts";

/** An account as every payload has it (docs.github.com/webhooks/webhook-events-and-payloads). */
export const account = z.object({ id: z.number(), login: z.string(), type: z.string() });

/** What every payload of an installation holds. */
export const base = z.object({
  action: z.string(),
  installation: z.object({ id: z.number() }),
  repository: z.object({
    id: z.number(),
    name: z.string(),
    owner: z.object({ login: z.string() }),
  }),
  sender: account.nullable(),
});

/** The text of an issue or pull request; what of it cannot be read is as good as untold. */
export const subject = z.object({
  number: z.number(),
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
});

/** What is written by a person: a comment, a review. */
export const written = z.object({
  id: z.number(),
  html_url: z.string().default(""),
  body: z.string().nullable(),
  author_association: z.string().default("NONE"),
  // Null for an account that was deleted meanwhile.
  user: account.nullable(),
  performed_via_github_app: z.unknown().optional(),
});

/** The repository of a payload. */
export function repoOf({
  installation,
  repository,
}: Pick<z.infer<typeof base>, "installation" | "repository">): RepoRef {
  return {
    installationId: installation.id,
    id: repository.id,
    owner: repository.owner.login,
    name: repository.name,
  };
}

/** The text of the issue or pull request; an empty one has the body null, an untold one has none. */
export function subjectOf({
  title,
  body,
  user,
  labels,
}: z.infer<typeof subject>): Request["subject"] {
  if (title === undefined && body === undefined) return null;
  const names = labels.map(({ name }) => name);
  const told = { title: title ?? "", body: body ?? "", author: user ?? null };
  return names.length > 0 ? { ...told, labels: names } : told;
}

/** Who wrote something, and what it says. */
export function wordsOf({
  body,
  author_association: association,
  user,
  performed_via_github_app: app,
}: z.infer<typeof written>): Pick<Request, "body" | "association" | "author" | "viaApp"> {
  return { body: body ?? "", association, author: user, viaApp: (app ?? null) !== null };
}
