import { NoInstallation, UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import { failedWith, HttpFailure } from "./http-failure.ts";
import { describePermissions, type Permissions } from "./permissions.ts";

/**
 * Runs `work` and turns a definite refusal of GitHub into a UserError that names what was being done
 * (as in "open the pull request") and what to do about it. Every other error passes.
 */
export async function explained<T>(
  doing: string,
  repo: RepoRef,
  needs: Permissions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A token that was minted before does not tell when another one is refused.
    if (failedWith(error, 403) && /suspended/i.test(error.reason)) {
      const name = `${repo.owner}/${repo.name}`;
      throw new NoInstallation("suspended", `The App's installation on ${name} is suspended.`);
    }
    const why = error instanceof HttpFailure ? reasonFor(error, needs) : null;
    if (why === null) throw error;
    throw new UserError(`Could not ${doing} in ${repo.owner}/${repo.name}: ${why}.`, {
      cause: error,
    });
  }
}

/** null for answers that no one who asked could do anything about: those are bugs. */
function reasonFor(failure: HttpFailure, needs: Permissions): string | null {
  const said = failure.reason.replace(/\.$/, "");
  switch (failure.status) {
    case 401:
      return "GitHub did not accept the App's token; check that the App is still installed there";
    case 403:
      if (/archived/i.test(said)) return "the repository is archived, which makes it read-only";
      if (/\blocked\b/i.test(said)) return "the conversation is locked";
      if (/not accessible by/i.test(said)) {
        return `the App lacks the permission ${neededBy(failure, needs)}; add it in the App's settings, then accept it in the settings of the installation`;
      }
      return `GitHub refused: ${said}`;
    case 404:
      return "GitHub does not find it, or the App has no access to it (any more)";
    case 410:
      return `it was deleted or is disabled: ${said}`;
    case 422:
      return `GitHub refused: ${said}`;
    case 451:
      return "it is blocked for legal reasons";
    case 405:
    case 501:
      return "this GitHub host does not offer it";
    case 301:
    case 302:
    case 307:
    case 308:
      return "GitHub sends the request to another address, where no token is taken; if the repository was moved, ask again there";
    default:
      return null;
  }
}

/** The endpoint's own word (sets of permissions, any one of which is enough), else what we asked for. */
function neededBy(failure: HttpFailure, needs: Permissions): string {
  const sets = (failure.accepted ?? "").split(";").map((set) => {
    const pairs = set.split(",").map((pair) => pair.trim().split("="));
    return Object.fromEntries(pairs.filter(([name, access]) => name && access));
  });
  const named = sets.map(describePermissions).filter((text) => text !== "");
  return named.length > 0 ? named.join(" or ") : describePermissions(needs);
}
