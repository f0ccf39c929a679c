import type { Octokit } from "@octokit/rest";
import { UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import type { GitHub, Places } from "../../core/ports.ts";
import { readConversation } from "./conversation.ts";
import { demand } from "./demand.ts";
import { explained } from "./explained.ts";
import { AnothersName, findPlace } from "./find-place.ts";
import { failedWith } from "./http-failure.ts";
import { READ } from "./permissions.ts";
import { readBranch } from "./read-branch.ts";
import { readRole } from "./read-role.ts";
import { readThreads } from "./review-threads.ts";

const MAX_FILE_BYTES = 100_000;

/** The reads of the GitHub port, each through an Octokit that may only read this repository. */
export function createReads(
  octokitFor: (repo: RepoRef) => Octokit,
  /** Speaks as the App itself. */
  app: Octokit,
): Omit<GitHub, "readGit"> & Places {
  function reading<T>(what: string, repo: RepoRef, work: (octokit: Octokit) => Promise<T>) {
    return explained(`read ${what}`, repo, READ, () => work(octokitFor(repo)));
  }

  return {
    permission: (repo, actor) =>
      reading(`the role of ${actor.login}`, repo, (octokit) => readRole(octokit, repo, actor)),
    repository: (repo) =>
      reading("the repository", repo, async (octokit) => {
        const { data } = await octokit.rest.repos.get({ owner: repo.owner, repo: repo.name });
        if (data?.id !== undefined && data.id !== repo.id) throw new AnothersName(repo);
        // What is no repository says nothing about one: neither where it stands nor that it is no archive.
        demand(typeof data?.default_branch === "string", "repository");
        return { defaultBranch: data.default_branch, archived: data.archived === true };
      }),
    find: (repo) =>
      explained("read the repository", repo, READ, () => findPlace(repo, { octokitFor, app })),
    branchSha: (repo, branch) =>
      reading(`the branch ${branch}`, repo, (octokit) => readBranch(octokit, repo, branch)),
    file: (repo, path) => reading(path, repo, (octokit) => readFile(octokit, repo, path)),
    pull: (repo, number) =>
      reading(`pull request #${number}`, repo, async (octokit) => {
        const { data } = await octokit.rest.pulls.get({
          owner: repo.owner,
          repo: repo.name,
          pull_number: number,
        });
        return {
          number: data.number,
          state: data.state,
          headRef: data.head.ref,
          headSha: data.head.sha,
          // A deleted fork leaves no repository behind.
          sameRepo: data.head.repo !== null && isSame(data.head.repo, repo),
          baseRef: data.base.ref,
          url: data.html_url,
        };
      }),
    threads: (repo, pull) =>
      reading(`the reviews of #${pull}`, repo, (octokit) => readThreads(octokit, repo, pull)),
    conversation: (repo, issue, until) =>
      reading(`the conversation of #${issue}`, repo, (octokit) =>
        readConversation(octokit, repo, issue, until),
      ),
  };
}

/** By id, which survives a rename; by name only where a host gives no ids. Unknown is not the same. */
function isSame(head: { id?: number; full_name?: string }, repo: RepoRef): boolean {
  if (head.id !== undefined) return head.id === repo.id;
  return head.full_name === `${repo.owner}/${repo.name}`;
}

async function readFile(octokit: Octokit, repo: RepoRef, path: string): Promise<string | null> {
  const data = await contentOf(octokit, repo, path);
  if (data === null) return null;
  if (Array.isArray(data) || data.type !== "file" || !("content" in data)) {
    throw new UserError(`${path} on the default branch is not a regular file.`);
  }
  if (data.size > MAX_FILE_BYTES) {
    throw new UserError(`${path} on the default branch is larger than ${MAX_FILE_BYTES} bytes.`);
  }
  try {
    const bytes = Buffer.from(data.content, "base64");
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError(`${path} on the default branch is not UTF-8 text.`, { cause: error });
  }
}

/** As JSON rather than raw: it tells files from directories and gives the size before the content. */
async function contentOf(octokit: Octokit, repo: RepoRef, path: string) {
  try {
    const { data } = await octokit.rest.repos.getContent({
      owner: repo.owner,
      repo: repo.name,
      path,
    });
    return data;
  } catch (error) {
    if (failedWith(error, 404)) return null;
    throw error;
  }
}
