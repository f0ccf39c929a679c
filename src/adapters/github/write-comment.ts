import type { Octokit } from "@octokit/rest";
import type { ActOf, ActValues } from "../../core/act.ts";
import type { Log } from "../../core/ports.ts";
import { collectPages } from "./collect-pages.ts";
import { demand } from "./demand.ts";
import { failedWith } from "./http-failure.ts";

/** Who we are on GitHub; `login` gives null where the host does not say. */
export interface Identity {
  appId: number;
  login: () => Promise<string | null>;
}

/**
 * Edits the comment that carries the marker, or creates it. A first try whose answer was lost is
 * found by the marker; a comment that a person deleted is created again. Where it was created twice in
 * spite of everything, the oldest stays and the others are removed by whoever looks next.
 */
export async function writeComment(
  octokit: Octokit,
  act: ActOf<"comment">,
  previous: ActValues["comment"] | null,
  deps: { self: Identity; log: Log },
): Promise<ActValues["comment"]> {
  const api = act.thread === undefined ? onIssue(octokit, act) : inThread(octokit, act, act.thread);
  if (previous !== null && !act.last) {
    try {
      await api.update(previous.id);
      return { id: previous.id };
    } catch (error) {
      if (!failedWith(error, 404)) throw error;
      deps.log.info(
        { issue: act.issue, comment: previous.id },
        "our comment is gone; writing it again",
      );
    }
  }

  const [standing, ...copies] = await findComments(api.list, act, deps.self);
  for (const copy of copies) {
    if (!copy.sure) continue;
    deps.log.warn({ issue: act.issue, comment: copy.id }, "a copy of our comment is removed");
    await api.remove(copy.id).catch((error) => {
      if (!failedWith(error, 404)) throw error;
    });
  }
  if (standing === undefined) {
    const { data } = await api.create();
    demand(Number.isSafeInteger(data?.id), "comment");
    return { id: data.id };
  }
  if (standing.body !== act.body) {
    await api.update(standing.id);
  }
  return { id: standing.id };
}

/** What is looked at of a comment; one in a thread does not say which App wrote it. */
interface Standing {
  id: number;
  body?: string | undefined;
  user: { login: string; type: string } | null;
  performed_via_github_app?: { id: number } | null | undefined;
}

/**
 * The comments of ours with the marker, oldest first. Anyone can copy a marker, so the author decides;
 * `sure` unless the host does not say who we are.
 */
async function findComments(
  list: ReturnType<typeof onIssue | typeof inThread>["list"],
  act: ActOf<"comment">,
  self: Identity,
) {
  const comments: Standing[] = await list();
  const marked = comments.filter(({ body }) => body?.includes(act.marker));
  if (marked.length === 0) return [];

  const login = await self.login();
  const own = marked.filter(
    ({ performed_via_github_app: app, user }) =>
      app?.id === self.appId || (user?.type === "Bot" && (login === null || user.login === login)),
  );
  return own
    .sort((a, b) => a.id - b.id)
    .map(({ id, body, performed_via_github_app: app }) => ({
      id,
      body,
      sure: app?.id === self.appId || login !== null,
    }));
}

/** Comments on the issue or pull request itself (docs.github.com/rest/issues/comments). */
function onIssue(octokit: Octokit, { repo, issue, since, body }: ActOf<"comment">) {
  const at = { owner: repo.owner, repo: repo.name };
  const { issues } = octokit.rest;
  return {
    list: () =>
      collectPages(1, (page) =>
        issues.listComments({ ...at, issue_number: issue, since, ...page }),
      ),
    create: () => issues.createComment({ ...at, issue_number: issue, body }),
    update: (id: number) => issues.updateComment({ ...at, comment_id: id, body }),
    remove: (id: number) => issues.deleteComment({ ...at, comment_id: id }),
  };
}

/** Replies in a thread on lines of a pull request (docs.github.com/rest/pulls/comments). */
function inThread(
  octokit: Octokit,
  { repo, issue, since, body }: ActOf<"comment">,
  thread: number,
) {
  const at = { owner: repo.owner, repo: repo.name };
  const { pulls } = octokit.rest;
  return {
    list: () =>
      collectPages(1, (page) =>
        pulls.listReviewComments({ ...at, pull_number: issue, since, ...page }),
      ),
    create: () =>
      pulls.createReplyForReviewComment({ ...at, pull_number: issue, comment_id: thread, body }),
    update: (id: number) => pulls.updateReviewComment({ ...at, comment_id: id, body }),
    remove: (id: number) => pulls.deleteReviewComment({ ...at, comment_id: id }),
  };
}
