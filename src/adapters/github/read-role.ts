import type { Octokit } from "@octokit/rest";
import { TransientError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import { includesRole, isRole, type Role } from "../../core/role.ts";
import { failedWith } from "./http-failure.ts";
import { isMissing } from "./is-missing.ts";

/** The coarser permission that each of GitHub's own roles stands for. */
const PERMISSION: Record<Role, Role> = {
  admin: "admin",
  maintain: "write",
  write: "write",
  triage: "read",
  read: "read",
  none: "none",
};

/** What the endpoint may answer: a host that is not GitHub's own may leave things out. */
interface Answer {
  permission?: unknown;
  role_name?: unknown;
  user?: { id?: unknown; login?: unknown } | null;
}

/**
 * The role of a person in a repository; "none" when GitHub finds nobody of that login, or somebody else.
 * An answer that makes no sense is a TransientError: the next one may.
 */
export async function readRole(
  octokit: Octokit,
  repo: RepoRef,
  actor: { id: number; login: string },
): Promise<Role> {
  try {
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({
      owner: repo.owner,
      repo: repo.name,
      username: actor.login,
    });
    return isAbout(data, actor) ? roleOf(data) : "none";
  } catch (error) {
    // GitHub says the same of a person it does not know and of a repository that is gone.
    if (failedWith(error, 404) && (await isMissing(octokit, repo, error))) return "none";
    throw error;
  }
}

/** A login that was given up can be registered by anybody; the number is never given twice. */
function isAbout({ user }: Answer, actor: { id: number; login: string }): boolean {
  // A host that is not GitHub's own may leave it out; null is nobody.
  if (user === undefined) return true;
  if (user === null) return false;
  if (user.id !== undefined && user.id !== null) return user.id === actor.id;
  return String(user.login).toLowerCase() === actor.login.toLowerCase();
}

/**
 * A custom role bears a name of the organisation's choosing, which may be one of GitHub's own; the name
 * refines the permission only where both agree, and never raises it.
 */
function roleOf({ permission, role_name: name }: Answer): Role {
  if (!isRole(permission)) {
    throw new TransientError(
      `GitHub names an unknown permission: ${String(permission).slice(0, 40)}`,
    );
  }
  if (!isRole(name) || PERMISSION[name] === permission) return isRole(name) ? name : permission;
  return includesRole(permission, name) ? name : permission;
}
