import type { Octokit } from "@octokit/rest";
import { UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import { failedWith, HttpFailure } from "./http-failure.ts";
import { describePermissions, type Permissions } from "./permissions.ts";

/** A token is not handed out when it ends sooner than this. */
const SPARE_MS = 5 * 60_000;
const REMEDY = "Add it in the App's settings, then accept it in the settings of the installation.";

/** Installation tokens, each good for one repository and the named permissions, kept in memory only. */
export interface Tokens {
  /** Throws UserError when GitHub refuses such a token, TransientError when it cannot answer. */
  get(repo: RepoRef, permissions: Permissions): Promise<string>;
  /** Forgets a token that GitHub no longer takes; a newer one stays. */
  drop(repo: RepoRef, permissions: Permissions, token: string): void;
}

interface Minted {
  token: string;
  expiresAt: number;
}

/** Mints tokens through `app`, an Octokit that speaks as the App itself; `onToken` sees each new one. */
export function createTokens(
  app: Octokit,
  now: () => number,
  onToken: (token: string) => void,
): Tokens {
  const minted = new Map<string, Minted>();
  const minting = new Map<string, Promise<Minted>>();

  async function mint(repo: RepoRef, permissions: Permissions, key: string): Promise<Minted> {
    try {
      const { data } = await app.rest.apps.createInstallationAccessToken({
        installation_id: repo.installationId,
        repository_ids: [repo.id],
        permissions: { ...permissions, metadata: "read" },
      });
      onToken(data.token);
      const fresh = { token: data.token, expiresAt: Date.parse(data.expires_at) };
      for (const [other, { expiresAt }] of minted) if (expiresAt <= now()) minted.delete(other);
      minted.set(key, fresh);
      return fresh;
    } catch (error) {
      throw error instanceof HttpFailure ? await refusal(app, repo, permissions, error) : error;
    }
  }

  return {
    async get(repo, permissions) {
      const key = keyOf(repo, permissions);
      const known = minted.get(key);
      if (known !== undefined && known.expiresAt - now() > SPARE_MS) return known.token;
      const running =
        minting.get(key) ?? mint(repo, permissions, key).finally(() => minting.delete(key));
      minting.set(key, running);
      return (await running).token;
    },
    drop(repo, permissions, token) {
      const key = keyOf(repo, permissions);
      if (minted.get(key)?.token === token) minted.delete(key);
    },
  };
}

function keyOf(repo: RepoRef, permissions: Permissions): string {
  return JSON.stringify([repo.installationId, repo.id, Object.entries(permissions).sort()]);
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
      return new UserError(
        "GitHub does not accept the App's credentials. Check that APP_ID and PRIVATE_KEY belong to the same App and that the server's clock is right.",
      );
    case 403:
      return new UserError(`GitHub gives the App no access to ${name}: ${failure.reason}.`);
    case 404:
      return new UserError(`The App is not installed on ${name} (any more).`);
    case 422: {
      if (!/permission/i.test(failure.reason)) {
        return new UserError(
          `The App's installation does not include ${name}. Add it in the settings of the installation.`,
        );
      }
      const missing = describePermissions(await missingOf(app, repo, permissions));
      return new UserError(`The App lacks the permission ${missing} on ${name}. ${REMEDY}`);
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
