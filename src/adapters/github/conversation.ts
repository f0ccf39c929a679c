import type { Octokit } from "@octokit/rest";
import type { RepoRef } from "../../core/job.ts";
import type { Conversation } from "../../core/ports.ts";
import { collectPages, pageBeforeLast } from "./collect-pages.ts";
import { failedWith } from "./http-failure.ts";

const MAX_COMMENTS = 100;

/** Title, body and the newest 100 comments of an issue or pull request, oldest first. */
export async function readConversation(
  octokit: Octokit,
  repo: RepoRef,
  issue: number,
): Promise<Conversation> {
  const at = { owner: repo.owner, repo: repo.name };
  const { data } = await octokit.rest.issues.get({ ...at, issue_number: issue });
  const comments = await collectPages(pageBeforeLast(data.comments), (page) =>
    octokit.rest.issues.listComments({ ...at, issue_number: issue, ...page }),
  );
  const remarks = data.pull_request === undefined ? [] : await reviewComments(octokit, repo, issue);
  return {
    title: data.title,
    body: data.body ?? "",
    author: authorOf(data),
    comments: [
      ...comments.map((comment) => ({ ...commentOf(comment), body: comment.body ?? "" })),
      ...remarks,
    ]
      .sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))
      .slice(-MAX_COMMENTS),
  };
}

/** Comments on lines of the diff, each beginning with the place it speaks of. */
async function reviewComments(octokit: Octokit, repo: RepoRef, pull: number) {
  try {
    const { data } = await octokit.rest.pulls.listReviewComments({
      owner: repo.owner,
      repo: repo.name,
      pull_number: pull,
      sort: "created",
      direction: "desc",
      per_page: MAX_COMMENTS,
    });
    return data.map((comment) => {
      const line = comment.line ?? comment.original_line;
      const place = line === undefined ? comment.path : `${comment.path}:${line}`;
      return { ...commentOf(comment), body: `[${place}] ${comment.body}` };
    });
  } catch (error) {
    // Not every host has them; the conversation is useful without.
    if (failedWith(error, 404)) return [];
    throw error;
  }
}

function commentOf(comment: {
  id: number;
  user?: { login: string } | null;
  created_at: string;
  updated_at: string;
}) {
  return {
    id: comment.id,
    author: authorOf(comment),
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
  };
}

/** GitHub shows what deleted accounts wrote as written by "ghost". */
function authorOf(written: { user?: { login: string } | null }): string {
  return written.user?.login ?? "ghost";
}
