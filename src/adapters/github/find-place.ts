import type { Octokit } from "@octokit/rest";
import { NoInstallation, toError, UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import { failedWith } from "./http-failure.ts";

/** Answers that may come of a repository that is not where it was. */
const NOT_THERE = [401, 403, 404];

/**
 * The same repository where it is by now: under another name, or with an owner who installed the App as
 * well. Throws what was answered under its old name when it is nowhere the App may go.
 */
export async function findPlace(
  repo: RepoRef,
  deps: {
    octokitFor: (repo: RepoRef) => Octokit;
    /** An Octokit that speaks as the App itself: whose installation it is, no token of one may ask. */
    app: Octokit;
  },
): Promise<RepoRef> {
  try {
    const found = await placeIn(deps.octokitFor(repo), repo);
    // An installation is of one account: where the owner is another one, so is the installation, at least soon.
    if (found.owner.toLowerCase() === repo.owner.toLowerCase()) return found;
    return (await movedTo(deps.app, found)) ?? found;
  } catch (thrown) {
    if (!isNotThere(thrown)) throw thrown;
    const moved = await movedTo(deps.app, repo);
    if (moved === null) throw thrown;
    try {
      // A token of that installation for this very number is given only where it holds the repository.
      return await placeIn(deps.octokitFor(moved), moved);
    } catch (there) {
      throw isNotThere(there) ? toError(thrown) : there;
    }
  }
}

/** What says that another repository has its name. */
export class AnothersName extends UserError {
  override name = "AnothersName";

  constructor({ owner, name }: RepoRef) {
    super(
      `${owner}/${name} is another repository now: the one that was meant was renamed or moved. Ask again there.`,
    );
  }
}

function isNotThere(thrown: unknown): boolean {
  return (
    failedWith(thrown, ...NOT_THERE) ||
    thrown instanceof AnothersName ||
    (thrown instanceof NoInstallation && thrown.state === "absent")
  );
}

/** By name, where GitHub redirects from a former one; by number where the name is gone or another's. */
async function placeIn(octokit: Octokit, repo: RepoRef): Promise<RepoRef> {
  let failure: Error = new AnothersName(repo);
  try {
    const { data } = await octokit.rest.repos.get({ owner: repo.owner, repo: repo.name });
    if (data?.id === undefined || data.id === repo.id) return placed(repo, data);
  } catch (error) {
    if (!failedWith(error, 403, 404)) throw error;
    failure = error;
  }
  try {
    // Not in the list of endpoints; it is where GitHub's redirects of renamed repositories lead to.
    const { data } = await octokit.request("GET /repositories/{id}", { id: repo.id });
    if (data?.id === repo.id) return placed(repo, data);
  } catch (error) {
    if (!failedWith(error, 403, 404)) throw error;
  }
  throw failure;
}

function placed(
  repo: RepoRef,
  data: { name?: string; owner?: { login?: string } | null },
): RepoRef {
  return { ...repo, owner: data?.owner?.login ?? repo.owner, name: data?.name ?? repo.name };
}

/**
 * The repository under another installation of the App; null where GitHub names none. Asked by name, which
 * leads on to where it is: by number only tokens of an installation may ask.
 */
async function movedTo(app: Octokit, repo: RepoRef): Promise<RepoRef | null> {
  try {
    const { owner, name } = repo;
    const { data } = await app.rest.apps.getRepoInstallation({ owner, repo: name });
    const moved = typeof data?.id === "number" && data.id !== repo.installationId;
    return moved ? { ...repo, installationId: data.id } : null;
  } catch (error) {
    if (failedWith(error, ...NOT_THERE)) return null;
    throw error;
  }
}
