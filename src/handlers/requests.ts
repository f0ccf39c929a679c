import { z } from "zod";
import type { Account, Request } from "../core/request.ts";
import { account, base, repoOf, subject, subjectOf, wordsOf, written } from "./payload.ts";

/**
 * What webhooks tell of the requests of people (docs.github.com/webhooks/webhook-events-and-payloads). Each
 * reader gives null when the payload lacks what is needed to act on it.
 */
export type Reader = (payload: unknown) => Request | null;

const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)));

const commentEvent = base.extend({
  issue: subject.extend({ pull_request: z.unknown().optional() }),
  comment: written.extend({ created_at: z.string(), updated_at: z.string().optional() }),
});

/** `issue_comment`: a comment on an issue or a pull request. */
export const commentRequest: Reader = reader(commentEvent, (payload) => {
  const { issue, comment, sender } = payload;
  const { created_at: at, updated_at: updated = at } = comment;
  return {
    way: { kind: "comment", id: comment.id },
    repo: repoOf(payload),
    issue: {
      number: issue.number,
      isPull: issue.pull_request !== undefined && issue.pull_request !== null,
    },
    url: comment.html_url,
    ...wordsOf(comment),
    sender,
    at,
    // Times that cannot be read are NaN, which equals nothing.
    edited: Date.parse(at) !== Date.parse(updated),
    subject: subjectOf(issue),
  };
});

const line = z.number().nullish().catch(null);

const reviewCommentEvent = base.extend({
  pull_request: subject,
  comment: written.extend({
    created_at: z.string(),
    updated_at: time.optional(),
    in_reply_to_id: z.number().optional(),
    path: z.string(),
    line,
    original_line: line,
    start_line: line,
    side: z.enum(["LEFT", "RIGHT"]).nullish().catch(null),
    diff_hunk: z.string().default(""),
    commit_id: z.string().default(""),
  }),
});

/**
 * `pull_request_review_comment`: a comment on lines of a pull request. One that was written as part of a review
 * was created before the review was sent, which is its second time: being new is what its event says.
 */
export const reviewCommentRequest: Reader = reader(reviewCommentEvent, (payload) => {
  const { pull_request: pull, comment, sender } = payload;
  return {
    way: {
      kind: "review_comment",
      id: comment.id,
      thread: comment.in_reply_to_id ?? comment.id,
      spot: {
        path: comment.path,
        line: comment.line ?? comment.original_line ?? null,
        startLine: comment.start_line ?? null,
        side: comment.side ?? "RIGHT",
        hunk: comment.diff_hunk,
        commit: comment.commit_id,
      },
    },
    repo: repoOf(payload),
    issue: { number: pull.number, isPull: true },
    url: comment.html_url,
    ...wordsOf(comment),
    sender,
    at: comment.updated_at ?? comment.created_at,
    edited: false,
    subject: subjectOf(pull),
  };
});

const reviewEvent = base.extend({
  pull_request: subject,
  review: written.extend({ state: z.string(), submitted_at: time }),
});

/** `pull_request_review`: a review that was submitted. */
export const reviewRequest: Reader = reader(reviewEvent, (payload) => {
  const { pull_request: pull, review, sender } = payload;
  return {
    way: {
      ...{ kind: "review", id: review.id },
      ...(review.state.toLowerCase() === "changes_requested" && { changes: true }),
    },
    repo: repoOf(payload),
    issue: { number: pull.number, isPull: true },
    url: review.html_url,
    ...wordsOf(review),
    sender,
    at: review.submitted_at,
    edited: false,
    subject: subjectOf(pull),
  };
});

const opened = subject.extend({
  html_url: z.string().default(""),
  created_at: time,
  updated_at: time.optional(),
  author_association: z.string().default("NONE"),
  performed_via_github_app: z.unknown().optional(),
});

const issueEvent = base.extend({ issue: opened.extend({ state: z.string().optional() }) });
const pullEvent = base.extend({ pull_request: opened });

/** `issues.opened`: the text of a new issue. */
export const newIssueRequest: Reader = reader(issueEvent, (payload) =>
  newText(payload, payload.issue, false),
);

/** `pull_request.opened`: the text of a new pull request. */
export const newPullRequest: Reader = reader(pullEvent, (payload) =>
  newText(payload, payload.pull_request, true),
);

function newText(
  payload: z.infer<typeof base>,
  text: z.infer<typeof opened>,
  isPull: boolean,
): Request {
  return {
    way: { kind: "opened" },
    repo: repoOf(payload),
    issue: { number: text.number, isPull },
    url: text.html_url,
    ...wordsOf({ ...text, id: text.number, body: text.body ?? null, user: text.user ?? null }),
    sender: payload.sender,
    at: text.created_at,
    edited: false,
    subject: subjectOf(text),
  };
}

const labeledEvent = issueEvent.extend({ label: z.object({ name: z.string() }) });

/** `issues.labeled`: the issue is the task of who labelled it. */
export const labelRequest: Reader = reader(labeledEvent, (payload) => ({
  ...given(payload),
  way: { kind: "labeled", label: payload.label.name },
}));

const assignedEvent = issueEvent.extend({ assignee: account });

/** `issues.assigned`: the issue is the task of who assigned it, if `assignee` is the App. */
export const assignRequest = reader<typeof assignedEvent, { request: Request; assignee: Account }>(
  assignedEvent,
  (payload) => ({
    request: { ...given(payload), way: { kind: "assigned" } },
    assignee: payload.assignee,
  }),
);

/** The whole issue, given as a task by the sender; only who may triage here can label or assign. */
function given(payload: z.infer<typeof issueEvent>): Omit<Request, "way"> {
  const { issue, sender } = payload;
  return {
    repo: repoOf(payload),
    issue: { number: issue.number, isPull: false },
    url: issue.html_url,
    body: "",
    author: sender,
    sender,
    viaApp: false,
    association: "COLLABORATOR",
    at: issue.updated_at ?? issue.created_at,
    edited: false,
    closed: issue.state === "closed",
    subject: subjectOf(issue),
  };
}

function reader<S extends z.ZodType, T = Request>(schema: S, read: (payload: z.output<S>) => T) {
  return (payload: unknown): T | null => {
    const parsed = schema.safeParse(payload);
    return parsed.success ? read(parsed.data) : null;
  };
}
