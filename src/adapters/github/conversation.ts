import type { Octokit } from "@octokit/rest";
import type { RepoRef } from "../../core/job.ts";
import type { Conversation, Remark } from "../../core/ports.ts";
import type { Way } from "../../core/request.ts";
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
  until: { way: Way; at: string; isPull: boolean },
): Promise<Conversation> {
  const { remarks, unread } = await issueComments(octokit, repo, issue, until);
  const reviews = until.isPull ? await reviewComments(octokit, repo, issue, until.at) : [];
  return {
    remarks: [...remarks, ...reviews].sort(
      (a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt),
    ),
    unread,
  };
}

/**
 * Reads pages from the last one backwards: GitHub lists the oldest first and takes no other order. The
 * issue itself is not asked for: its text may have been edited since its webhook told it.
 */
async function issueComments(
  octokit: Octokit,
  repo: RepoRef,
  issue: number,
  { way, at: end }: { way: Way; at: string },
): Promise<Conversation> {
  const isBefore = (each: { id: number; created_at: string }) =>
    way.kind === "comment" ? each.id < way.id : Date.parse(each.created_at) <= Date.parse(end);
  const at = { owner: repo.owner, repo: repo.name, issue_number: issue };
  const list = (page: { page: number; per_page: number }) =>
    octokit.rest.issues.listComments({ ...at, ...page });
  const first = await list({ page: 1, per_page: PER_PAGE });
  const last = lastPage(first.headers.link);
  // A host that does not count its pages is read from the beginning.
  const further = last === null && first.data.length === PER_PAGE;
  const behind = further ? await collectPages(2, list) : [];
  let unread = last ?? 1;
  for (const stop = Math.max(1, unread - MAX_PAGES); unread > stop; ) {
    behind.push(...(await list({ page: unread, per_page: PER_PAGE })).data);
    unread -= 1;
    if (behind.filter(isBefore).length >= MAX_COMMENTS) break;
  }
  const known = new Map([...first.data, ...behind].map((each) => [each.id, each]));
  const sorted = [...known.values()].sort((a, b) => a.id - b.id);
  const left = Math.max(0, sorted.filter(isBefore).length - MAX_COMMENTS);
  return {
    remarks: sorted
      .slice(left)
      .map((each) => remarkOf("comment", null, { ...each, body: each.body ?? "" })),
    unread: left + (unread - 1) * PER_PAGE,
  };
}

/** The number of the last page by a Link header; only the number is used, never an address that came from outside. */
function lastPage(link: string | undefined): number | null {
  const [, number] = /[?&]page=(\d{1,6})(?=[&>])[^>]{0,500}>;\s*rel="last"/.exec(link ?? "") ?? [];
  return number === undefined ? null : Number(number);
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
    user?: { id: number; login: string; type?: string } | null;
    created_at: string;
    updated_at: string;
  },
): Remark {
  const { id, body, user } = comment;
  return {
    kind,
    id,
    author: user ? { id: user.id, login: user.login, type: user.type ?? "User" } : null,
    place,
    body,
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
  };
}
