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
  const at = { owner: act.repo.owner, repo: act.repo.name };
  if (previous !== null && !act.last) {
    try {
      await octokit.rest.issues.updateComment({ ...at, comment_id: previous.id, body: act.body });
      return { id: previous.id };
    } catch (error) {
      if (!failedWith(error, 404)) throw error;
      deps.log.info(
        { issue: act.issue, comment: previous.id },
        "our comment is gone; writing it again",
      );
    }
  }

  const [standing, ...copies] = await findComments(octokit, act, deps.self);
  for (const copy of copies) {
    if (!copy.sure) continue;
    deps.log.warn({ issue: act.issue, comment: copy.id }, "a copy of our comment is removed");
    await octokit.rest.issues.deleteComment({ ...at, comment_id: copy.id }).catch((error) => {
      if (!failedWith(error, 404)) throw error;
    });
  }
  if (standing === undefined) {
    const { data } = await octokit.rest.issues.createComment({
      ...at,
      issue_number: act.issue,
      body: act.body,
    });
    demand(Number.isSafeInteger(data?.id), "comment");
    return { id: data.id };
  }
  if (standing.body !== act.body) {
    await octokit.rest.issues.updateComment({ ...at, comment_id: standing.id, body: act.body });
  }
  return { id: standing.id };
}

/**
 * The comments of ours with the marker, oldest first. Anyone can copy a marker, so the author decides;
 * `sure` unless the host does not say who we are.
 */
async function findComments(octokit: Octokit, act: ActOf<"comment">, self: Identity) {
  const comments = await collectPages(1, (page) =>
    octokit.rest.issues.listComments({
      owner: act.repo.owner,
      repo: act.repo.name,
      issue_number: act.issue,
      since: act.since,
      ...page,
    }),
  );
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
