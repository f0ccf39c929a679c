import {
  type Comment,
  GHOST,
  type Issue,
  type Repository,
  type ReviewComment,
  type State,
  userOf,
} from "../state.ts";
import { authorAssociation, userShape } from "./user.ts";

function api(state: State, repository: Repository): string {
  return `${state.url}/api/v3/repos/${repository.owner}/${repository.name}`;
}

/** Where a person reads an issue or pull request. */
export function issueUrl(state: State, repository: Repository, number: number): string {
  const kind = repository.pulls.has(number) ? "pull" : "issues";
  return `${state.url}/${repository.owner}/${repository.name}/${kind}/${number}`;
}

/** An issue (or the issue side of a pull request) as GitHub shows it. */
export function issueShape(state: State, repository: Repository, issue: Issue) {
  const url = `${api(state, repository)}/issues/${issue.number}`;
  const html = issueUrl(state, repository, issue.number);
  const pull = repository.pulls.get(issue.number);
  const comments = [...repository.comments.values()];
  return {
    id: issue.id,
    node_id: `I_${issue.id}`,
    url,
    repository_url: api(state, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    html_url: html,
    number: issue.number,
    state: issue.state,
    state_reason: null,
    title: issue.title,
    body: issue.body,
    user: userShape(state, issue.author),
    labels: [],
    assignee: null,
    assignees: [],
    milestone: null,
    locked: issue.locked ?? false,
    active_lock_reason: null,
    comments: comments.filter((comment) => comment.issue === issue.number).length,
    ...(pull && {
      draft: pull.draft,
      pull_request: {
        url: `${api(state, repository)}/pulls/${issue.number}`,
        html_url: html,
        diff_url: `${html}.diff`,
        patch_url: `${html}.patch`,
        merged_at: null,
      },
    }),
    closed_at: null,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    author_association: authorAssociation(repository, issue.author),
    performed_via_github_app: null,
    reactions: reactionCounts(`${url}/reactions`, []),
  };
}

/** A comment as GitHub shows it. */
export function commentShape(state: State, repository: Repository, comment: Comment) {
  const url = `${api(state, repository)}/issues/comments/${comment.id}`;
  const html = issueUrl(state, repository, comment.issue);
  const contents = repository.reactions
    .filter((reaction) => reaction.commentId === comment.id)
    .map((reaction) => reaction.content);
  return {
    id: comment.id,
    node_id: `IC_${comment.id}`,
    url,
    html_url: `${html}#issuecomment-${comment.id}`,
    issue_url: `${api(state, repository)}/issues/${comment.issue}`,
    body: comment.body,
    user: { ...userShape(state, comment.author), type: userOf(state, comment.author).type },
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: authorAssociation(repository, comment.author),
    performed_via_github_app: null,
    reactions: reactionCounts(`${url}/reactions`, contents),
  };
}

/** A comment as lists show it: nobody's when its account is gone. */
export function listedCommentShape(state: State, repository: Repository, comment: Comment) {
  const shape = commentShape(state, repository, comment);
  return comment.author === GHOST ? { ...shape, user: null } : shape;
}

/** A comment on a line of a diff, with what an App reads of it. */
export function reviewCommentShape(state: State, repository: Repository, comment: ReviewComment) {
  const { path, line, replyTo, review } = comment;
  return {
    ...listedCommentShape(state, repository, comment),
    ...(replyTo !== undefined && { in_reply_to_id: replyTo }),
    pull_request_review_id: review ?? null,
    path,
    line,
    original_line: line,
    side: "RIGHT",
    diff_hunk: "@@ -1 +1 @@",
    commit_id: "0".repeat(40),
    original_commit_id: "0".repeat(40),
    pull_request_url: `${api(state, repository)}/pulls/${comment.issue}`,
  };
}

function reactionCounts(url: string, contents: string[]) {
  const count = (content: string) => contents.filter((each) => each === content).length;
  return {
    url,
    total_count: contents.length,
    "+1": count("+1"),
    "-1": count("-1"),
    laugh: count("laugh"),
    hooray: count("hooray"),
    confused: count("confused"),
    heart: count("heart"),
    rocket: count("rocket"),
    eyes: count("eyes"),
  };
}
