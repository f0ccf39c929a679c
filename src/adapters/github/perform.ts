import type { Octokit } from "@octokit/rest";
import type { Act, ActKind, ActOf, ActValues } from "../../core/act.ts";
import { TransientError } from "../../core/errors.ts";
import type { GitPush, Log, Performer } from "../../core/ports.ts";
import { explained } from "./explained.ts";
import { CONVERSE, type Permissions, WRITE_CONTENTS, WRITE_PULLS } from "./permissions.ts";
import type { Need, Tokens } from "./tokens.ts";
import { writeBranch } from "./write-branch.ts";
import { type Identity, writeComment } from "./write-comment.ts";
import { createCommitWriter } from "./write-commit.ts";
import { writePull } from "./write-pull.ts";

/**
 * Performs acts, each with a token that can do no more than this act: texts with one of the
 * conversation, what belongs to a job with one of that job.
 */
export function createPerform(deps: {
  octokitFor: (need: Need) => Octokit;
  tokens: Tokens;
  /** The holder of the conversation's tokens. */
  conversation: string;
  git: GitPush;
  self: Identity;
  now: () => number;
  log: Log;
}): Performer["perform"] {
  const { tokens, git, self, now, log } = deps;
  const writeCommit = createCommitWriter(now);

  /** A push that failed for now may have failed for its token: the next try gets a fresh one. */
  async function byGit<T>(need: Need, push: (token: string) => Promise<T>): Promise<T> {
    const { token, back } = await tokens.lend(need);
    try {
      return await push(token);
    } catch (error) {
      if (error instanceof TransientError) tokens.drop(need, token);
      throw error;
    } finally {
      back();
    }
  }

  function perform<K extends ActKind>(
    act: ActOf<K>,
    previous: ActValues[K] | null,
    lane: string,
  ): Promise<ActValues[K]>;
  async function perform(
    act: Act,
    previous: ActValues[ActKind] | null,
    lane: string,
  ): Promise<ActValues[ActKind]> {
    const { repo } = act;
    const { owner } = repo;
    const needs = (permissions: Permissions): Need => ({
      holder: permissions === CONVERSE ? deps.conversation : lane,
      repo,
      permissions,
    });
    const octokitFor = (permissions: Permissions) => deps.octokitFor(needs(permissions));
    switch (act.kind) {
      case "reaction":
        return explained("react to the comment", repo, CONVERSE, async () => {
          // GitHub answers 200 instead of 201 when the reaction stands already.
          await octokitFor(CONVERSE).rest.reactions.createForIssueComment({
            owner,
            repo: repo.name,
            comment_id: act.commentId,
            content: act.content,
          });
          return null;
        });
      case "comment": {
        const known = previous !== null && "id" in previous ? previous : null;
        return explained(`comment on #${act.issue}`, repo, CONVERSE, () =>
          writeComment(octokitFor(CONVERSE), act, known, { self, log }),
        );
      }
      case "push":
        await byGit(needs(WRITE_CONTENTS), (token) =>
          git.pushRef(repo, act.commit, act.ref, token),
        );
        return null;
      case "delete_ref":
        await byGit(needs(WRITE_CONTENTS), (token) => git.deleteRef(repo, act.ref, token));
        return null;
      case "commit":
        return explained("create the commit", repo, WRITE_CONTENTS, () =>
          writeCommit(octokitFor(WRITE_CONTENTS), act),
        );
      case "branch": {
        const push = () =>
          byGit(needs(WRITE_CONTENTS), (token) =>
            git.pushBranch(repo, act.sha, act.branch, act.from, token),
          );
        return explained(`write the branch ${act.branch}`, repo, WRITE_CONTENTS, () =>
          writeBranch(octokitFor(WRITE_CONTENTS), act, push, now),
        );
      }
      case "pull":
        return explained("open the pull request", repo, WRITE_PULLS, () =>
          writePull(octokitFor(WRITE_PULLS), act, now),
        );
      case "pull_body":
        return explained(`edit pull request #${act.pull}`, repo, CONVERSE, async () => {
          await octokitFor(CONVERSE).rest.pulls.update({
            owner,
            repo: repo.name,
            pull_number: act.pull,
            body: act.body,
          });
          return null;
        });
    }
  }
  return perform;
}
