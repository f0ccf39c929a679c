import type { RestEndpointMethodTypes } from "@octokit/rest";
import { branchTip, git } from "../bare.ts";
import { notFound } from "../reply.ts";
import type { Pull, Repository, State } from "../state.ts";
import { issueShape, issueUrl } from "./issue.ts";
import { repositoryShape } from "./repository.ts";
import { userShape } from "./user.ts";

/** A changed file of a pull request: path, status letter, and lines (null for binary files). */
export interface PullFile {
  filename: string;
  status: "added" | "removed" | "modified" | "changed";
  additions: number;
  deletions: number;
}

type PullResponse = RestEndpointMethodTypes["pulls"]["get"]["response"]["data"];

/** A pull request as GitHub shows it, its head read from the repository at this moment. */
export async function pullShape(
  state: State,
  repository: Repository,
  pull: Pull,
): Promise<PullResponse> {
  const issue = repository.issues.get(pull.number);
  if (!issue) throw notFound();
  const api = `${state.url}/api/v3/repos/${repository.owner}/${repository.name}`;
  const url = `${api}/pulls/${pull.number}`;
  const html = issueUrl(state, repository, pull.number);
  const tips = [
    await branchTip(repository.path, pull.head),
    await branchTip(repository.path, pull.base),
  ];
  // Of a deleted branch GitHub knows where it stood last, and shows the rest as it was.
  const standing = tips.every((tip) => tip !== null);
  pull.lastHead = tips[0] ?? pull.lastHead ?? "";
  const files = standing ? await pullFiles(repository, pull) : [];
  const sum = (of: (file: PullFile) => number) => files.reduce((all, file) => all + of(file), 0);
  const shared = issueShape(state, repository, issue);
  const head = { ...(await side(state, repository, pull.head)), sha: pull.lastHead };
  const links = {
    self: url,
    html,
    issue: shared.url,
    comments: shared.comments_url,
    review_comments: `${url}/comments`,
    review_comment: `${api}/pulls/comments{/number}`,
    commits: `${url}/commits`,
    statuses: `${api}/statuses/${head.sha}`,
  };
  return {
    ...shared,
    id: pull.id,
    node_id: `PR_${pull.id}`,
    url,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: links.issue,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    statuses_url: links.statuses,
    _links: {
      self: { href: links.self },
      html: { href: links.html },
      issue: { href: links.issue },
      comments: { href: links.comments },
      review_comments: { href: links.review_comments },
      review_comment: { href: links.review_comment },
      commits: { href: links.commits },
      statuses: { href: links.statuses },
    },
    draft: pull.draft,
    head,
    base: await side(state, repository, pull.base),
    merged: false,
    merged_at: null,
    merged_by: null,
    merge_commit_sha: null,
    mergeable: null,
    mergeable_state: "unknown",
    rebaseable: null,
    auto_merge: null,
    maintainer_can_modify: false,
    requested_reviewers: [],
    requested_teams: [],
    review_comments: 0,
    commits: standing
      ? Number(await git(repository.path, ["rev-list", "--count", range(pull, ".."), "--"]))
      : 0,
    additions: sum((file) => file.additions),
    deletions: sum((file) => file.deletions),
    changed_files: files.length,
  };
}

async function side(state: State, repository: Repository, branch: string) {
  return {
    label: `${repository.owner}:${branch}`,
    ref: branch,
    sha: (await branchTip(repository.path, branch)) ?? "",
    user: userShape(state, repository.owner),
    repo: repositoryShape(state, repository),
  };
}

/** `base..head` or `base...head` of a pull request, as full ref names. */
export function range(pull: Pull, dots: ".." | "..."): string {
  return `refs/heads/${pull.base}${dots}refs/heads/${pull.head}`;
}

const STATUS: Record<string, PullFile["status"]> = { A: "added", D: "removed", T: "changed" };

/** The files a pull request changes since it left its base. */
export async function pullFiles(repository: Repository, pull: Pull): Promise<PullFile[]> {
  const diff = (format: string) =>
    git(repository.path, ["diff", "--no-renames", "-z", format, range(pull, "..."), "--"]);
  const names = (await diff("--name-status")).split("\0");
  const counts = (await diff("--numstat")).split("\0");
  const files: PullFile[] = [];
  for (let at = 0; at + 1 < names.length; at += 2) {
    const [added, removed] = (counts[at / 2] ?? "").split("\t");
    files.push({
      filename: names[at + 1] ?? "",
      status: STATUS[names[at] ?? ""] ?? "modified",
      additions: Number(added) || 0,
      deletions: Number(removed) || 0,
    });
  }
  return files;
}
