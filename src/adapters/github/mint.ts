import type { Octokit } from "@octokit/rest";
import { NoInstallation, TransientError, UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import { demand } from "./demand.ts";
import { failedWith, HttpFailure } from "./http-failure.ts";
import { describePermissions, type Permissions } from "./permissions.ts";

const REMEDY = "Add it in the App's settings, then accept it in the settings of the installation.";
const NOT_ACCEPTED =
  "GitHub does not accept the App's credentials. Check that APP_ID and PRIVATE_KEY belong to the same App and that the server's clock is right.";
/** How long a token lives where the host does not say (docs.github.com: one hour). */
const LIFETIME_MS = 60 * 60_000;

/** The installation grants less than was asked for. */
export class LacksPermission extends UserError {
  override name = "LacksPermission";
}

/** A new installation token and when it ends, in ms since the epoch. */
export interface Minted {
  token: string;
  expiresAt: number;
}

/**
 * Mints a token for one repository with the named permissions, through `app`, an Octokit that speaks
 * as the App itself. Throws UserError when GitHub refuses such a token, TransientError when it cannot
 * answer.
 */
export async function mint(
  app: Octokit,
  repo: RepoRef,
  permissions: Permissions,
  now: () => number,
): Promise<Minted> {
  try {
    const { data } = await app.rest.apps.createInstallationAccessToken({
      installation_id: repo.installationId,
      repository_ids: [repo.id],
      permissions: { ...permissions, metadata: "read" },
    });
    demand(typeof data?.token === "string" && data.token !== "", "token");
    const ends = Date.parse(data.expires_at);
    return { token: data.token, expiresAt: Number.isNaN(ends) ? now() + LIFETIME_MS : ends };
  } catch (error) {
    throw error instanceof HttpFailure ? await refusal(app, repo, permissions, error) : error;
  }
}

async function refusal(
  app: Octokit,
  repo: RepoRef,
  permissions: Permissions,
  failure: HttpFailure,
): Promise<Error> {
  const name = `${repo.owner}/${repo.name}`;
  switch (failure.status) {
    case 401:
      // A key or a clock is set right by the operator, and what was promised waits for it; an App that is gone stays so.
      return /not found/i.test(failure.reason)
        ? new UserError(NOT_ACCEPTED)
        : new TransientError(NOT_ACCEPTED);
    case 403:
      if (/suspend/i.test(failure.reason)) {
        return new NoInstallation("suspended", `The App's installation on ${name} is suspended.`);
      }
      return new UserError(`GitHub gives the App no access to ${name}: ${failure.reason}.`);
    case 404:
      return new NoInstallation(
        "absent",
        `The App is not installed on ${name} (any more). Install it there, then write a new comment.`,
      );
    case 422: {
      if (!/permission/i.test(failure.reason)) {
        return new NoInstallation(
          "absent",
          `The App's installation does not include ${name}. Add it in the settings of the installation, then write a new comment.`,
        );
      }
      const missing = describePermissions(await missingOf(app, repo, permissions));
      return new LacksPermission(`The App lacks the permission ${missing} on ${name}. ${REMEDY}`);
    }
    default:
      return failure;
  }
}

/** GitHub does not say which permission is missing, so what is granted is looked up. */
async function missingOf(
  app: Octokit,
  repo: RepoRef,
  permissions: Permissions,
): Promise<Record<string, string>> {
  try {
    const { data } = await app.rest.apps.getInstallation({ installation_id: repo.installationId });
    const granted: Record<string, string | undefined> = { ...data.permissions };
    const missing = Object.entries(permissions).filter(
      ([name, access]) => granted[name] !== "write" && granted[name] !== access,
    );
    return Object.fromEntries(missing.length > 0 ? missing : Object.entries(permissions));
  } catch (error) {
    if (failedWith(error, 401, 403, 404)) return permissions;
    throw error;
  }
}
