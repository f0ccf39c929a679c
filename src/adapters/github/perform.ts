import type { Octokit } from "@octokit/rest";
import type { Act, ActKind, ActOf, ActValues } from "../../core/act.ts";
import { RateLimited, TransientError, UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import type { GitPush, Log, Performer } from "../../core/ports.ts";
import { explained } from "./explained.ts";
import { failedWith } from "./http-failure.ts";
import { markReady } from "./mark-ready.ts";
import { LacksPermission } from "./mint.ts";
import type { Pauses } from "./pauses.ts";
import {
  CONVERSE,
  type Permissions,
  RESOLVE,
  WRITE_CHECKS,
  WRITE_CONTENTS,
  WRITE_PULLS,
  WRITE_WORKFLOWS,
} from "./permissions.ts";
import { react } from "./react.ts";
import { resolveThread } from "./review-threads.ts";
import type { Need, Tokens } from "./tokens.ts";
import { writeBranch } from "./write-branch.ts";
import { writeCheckRun } from "./write-check-run.ts";
import { type Identity, writeComment } from "./write-comment.ts";
import { createCommitWriter } from "./write-commit.ts";
import { createPullWriter } from "./write-pull.ts";

/**
 * Performs acts, each with a token that can do no more than this act: texts with one of the
 * conversation, what belongs to a job with one of that job.
 */
export function createPerform(deps: {
  /** `insist` is called right before each request that writes. */
  octokitFor: (need: Need, insist: () => void) => Octokit;
  tokens: Tokens;
  pauses: Pauses;
  /** The holder of the conversation's tokens. */
  conversation: string;
  git: GitPush;
  self: Identity;
  now: () => number;
  log: Log;
}): Performer["perform"] {
  const { tokens, pauses, git, self, now, log } = deps;
  const writeCommit = createCommitWriter(now);
  const writePull = createPullWriter(now);

  /** A push that failed for now may have failed for its token: the next try gets a fresh one. */
  async function pushing<T>(need: Need, push: (token: string) => Promise<T>): Promise<T> {
    const { token, back } = await tokens.lend(need);
    try {
      return await push(token);
    } catch (error) {
      const passing = error instanceof TransientError && !(error instanceof RateLimited);
      if (passing) tokens.drop(need, token);
      throw error;
    } finally {
      back();
    }
  }

  /**
   * Workflows take a permission of their own. Where it is not granted GitHub itself has the last word,
   * and its refusal is told with the remedy.
   */
  async function writing<T>(
    act: { workflows?: boolean },
    write: (permissions: Permissions) => Promise<T>,
  ): Promise<T> {
    if (!act.workflows) return write(WRITE_CONTENTS);
    try {
      return await write(WRITE_WORKFLOWS);
    } catch (error) {
      if (!(error instanceof LacksPermission)) throw error;
      return write(WRITE_CONTENTS).catch((refused: unknown) => {
        if (!(refused instanceof UserError)) throw refused;
        throw new UserError(`${refused.message} ${error.message}`, { cause: refused });
      });
    }
  }

  /** Installations of which was said that they do not grant it. */
  const withoutChecks = new Set<number>();

  /** Null where the App may not write check runs: a pull request says the same. */
  async function checking<T>(repo: RepoRef, write: () => Promise<T>): Promise<T | null> {
    try {
      return await write();
    } catch (error) {
      const refused = failedWith(error, 403) && /not accessible by/i.test(error.reason);
      if (!refused && !(error instanceof LacksPermission)) throw error;
      if (!withoutChecks.has(repo.installationId)) {
        log.info(
          { installationId: repo.installationId, reason: error.message },
          "no check runs are written: the installation does not grant the permission",
        );
      }
      withoutChecks.add(repo.installationId);
      return null;
    }
  }

  function perform<K extends ActKind>(
    act: ActOf<K>,
    previous: ActValues[K] | null,
    by: { lane: string; insist: () => void; signal?: AbortSignal },
  ): Promise<ActValues[K]>;
  async function perform(
    act: Act,
    previous: ActValues[ActKind] | null,
    { lane, insist, signal }: { lane: string; insist: () => void; signal?: AbortSignal },
  ): Promise<ActValues[ActKind]> {
    const { repo } = act;
    const { owner } = repo;
    const needs = (permissions: Permissions): Need => ({
      holder: permissions === CONVERSE ? deps.conversation : lane,
      repo,
      permissions,
    });
    const octokitFor = (permissions: Permissions) => deps.octokitFor(needs(permissions), insist);
    const byGit = <T>(permissions: Permissions, push: (token: string) => Promise<T>) =>
      pauses.around(repo.installationId, () =>
        pushing(needs(permissions), (token) => {
          insist();
          return push(token);
        }),
      );
    switch (act.kind) {
      case "reaction":
        return explained(`react to the ${act.on ?? "comment"}`, repo, CONVERSE, async () => {
          await react(octokitFor(CONVERSE), act);
          return null;
        });
      case "comment": {
        const known = previous !== null && "id" in previous ? previous : null;
        return explained(`comment on #${act.issue}`, repo, CONVERSE, () =>
          writeComment(octokitFor(CONVERSE), act, known, { self, log }),
        );
      }
      case "push":
        await writing(act, (permissions) =>
          byGit(permissions, (token) => git.pushRef(repo, act.commit, act.ref, token, signal)),
        );
        return null;
      case "keep":
        await byGit(WRITE_CONTENTS, (token) =>
          git.pushRef(repo, act.commit, act.ref, token, signal),
        );
        return { ref: act.ref };
      case "delete_ref":
        await byGit(WRITE_CONTENTS, (token) => git.deleteRef(repo, act.ref, token));
        return null;
      case "commit":
        return writing(act, (permissions) =>
          explained("create the commit", repo, permissions, () =>
            writeCommit(octokitFor(permissions), act),
          ),
        );
      case "branch":
        return writing(act, (permissions) => {
          const push = () =>
            byGit(permissions, (token) =>
              git.pushBranch(repo, act.sha, act.branch, act.from, token),
            );
          return explained(`write the branch ${act.branch}`, repo, permissions, () =>
            writeBranch(octokitFor(permissions), act, push, now),
          );
        });
      case "pull":
        return explained("open the pull request", repo, WRITE_PULLS, () =>
          writePull(octokitFor(WRITE_PULLS), act),
        );
      case "ready":
        return explained(`mark #${act.pull} as ready for review`, repo, RESOLVE, async () => {
          await markReady(octokitFor(RESOLVE), act);
          return null;
        });
      case "resolve":
        return explained("resolve a thread of a review", repo, RESOLVE, async () => {
          await resolveThread(octokitFor(RESOLVE), act.thread);
          return null;
        });
      case "check_run":
        return explained("write the check run", repo, WRITE_CHECKS, () =>
          checking(repo, () =>
            writeCheckRun(octokitFor(WRITE_CHECKS), act, { appId: self.appId, now }),
          ),
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
