import type { Octokit } from "@octokit/rest";
import type { RepoRef } from "../../core/job.ts";
import type { Conversation, Remark } from "../../core/ports.ts";
import { collectPages } from "./collect-pages.ts";
import { failedWith } from "./http-failure.ts";

const PER_PAGE = 100;
/** Comments of each kind that are kept, and those of GitHub's pages that are looked at for them. */
const MAX_COMMENTS = 100;
const MAX_PAGES = 20;

/**
 * Comments of an issue or pull request around a command, oldest first. However many are written behind
 * the command, those before it are found.
 */
export async function readConversation(
  octokit: Octokit,
  repo: RepoRef,
  issue: number,
  until: { commentId: number; at: string; isPull: boolean },
): Promise<Conversation> {
  const { remarks, unread } = await issueComments(octokit, repo, issue, until.commentId);
  const reviews = until.isPull ? await reviewComments(octokit, repo, issue, until.at) : [];
  return {
    remarks: [...remarks, ...reviews].sort(
      (a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt),
    ),
    unread,
  };
}

/** Reads pages from the last one backwards: GitHub lists the oldest first and takes no other order. */
async function issueComments(
  octokit: Octokit,
  repo: RepoRef,
  issue: number,
  commentId: number,
): Promise<Conversation> {
  const at = { owner: repo.owner, repo: repo.name, issue_number: issue };
  // Of this answer only the number counts: its title and body may have been edited meanwhile.
  const { data } = await octokit.rest.issues.get(at);
  const list = (page: { page: number; per_page: number }) =>
    octokit.rest.issues.listComments({ ...at, ...page });
  const last = Math.max(1, Math.ceil((data.comments ?? 0) / PER_PAGE));
  const found = new Map<number, Remark>();
  for (let page = last; page >= Math.max(1, last - MAX_PAGES + 1); page -= 1) {
    const comments =
      page === last
        ? await collectPages(last, list)
        : (await list({ page, per_page: PER_PAGE })).data;
    for (const each of comments) {
      found.set(each.id, remarkOf("comment", null, { ...each, body: each.body ?? "" }));
    }
    if ([...found.keys()].filter((id) => id < commentId).length >= MAX_COMMENTS) break;
  }
  const sorted = [...found.values()].sort((a, b) => a.id - b.id);
  const before = sorted.filter(({ id }) => id < commentId);
  const left = Math.max(0, before.length - MAX_COMMENTS);
  return {
    remarks: sorted.slice(left),
    unread: left + Math.max(0, (data.comments ?? 0) - sorted.length),
  };
}

/** Comments on lines of the diff, of which GitHub gives the newest first. */
async function reviewComments(octokit: Octokit, repo: RepoRef, pull: number, at: string) {
  const found = new Map<number, Remark>();
  try {
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const { data } = await octokit.rest.pulls.listReviewComments({
        owner: repo.owner,
        repo: repo.name,
        pull_number: pull,
        sort: "created",
        direction: "desc",
        per_page: PER_PAGE,
        page,
      });
      for (const each of data) {
        const line = each.line ?? each.original_line;
        const place = typeof line === "number" ? `${each.path}:${line}` : each.path;
        found.set(each.id, remarkOf("review", place, each));
      }
      const before = [...found.values()].filter(
        ({ createdAt }) => Date.parse(createdAt) <= Date.parse(at),
      );
      if (before.length >= MAX_COMMENTS || data.length < PER_PAGE) break;
    }
  } catch (error) {
    // Not every host has them; the conversation is useful without.
    if (failedWith(error, 404)) return [];
    throw error;
  }
  return [...found.values()];
}

function remarkOf(
  kind: Remark["kind"],
  place: string | null,
  comment: {
    id: number;
    body: string;
    user?: { id: number; login: string; type: string } | null;
    created_at: string;
    updated_at: string;
  },
): Remark {
  const { id, body, user } = comment;
  return {
    kind,
    id,
    author: user ? { id: user.id, login: user.login, type: user.type } : null,
    place,
    body,
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
  };
}
