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
 * found by the marker; a comment that a person deleted is created again.
 */
export async function writeComment(
  octokit: Octokit,
  act: ActOf<"comment">,
  previous: ActValues["comment"] | null,
  deps: { self: Identity; log: Log },
): Promise<ActValues["comment"]> {
  const at = { owner: act.repo.owner, repo: act.repo.name };
  if (previous !== null) {
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

  const standing = await findComment(octokit, act, deps.self);
  if (standing === null) {
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

/** The oldest comment of ours with the marker. Anyone can copy a marker, so the author decides. */
async function findComment(octokit: Octokit, act: ActOf<"comment">, self: Identity) {
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
  if (marked.length === 0) return null;

  const login = await self.login();
  const own = marked.filter(
    ({ performed_via_github_app: app, user }) =>
      app?.id === self.appId || (user?.type === "Bot" && (login === null || user.login === login)),
  );
  return own.sort((a, b) => a.id - b.id)[0] ?? null;
}
