import { posix } from "node:path";
import type { Octokit } from "@octokit/rest";
import type { RepoRef } from "../../core/job.ts";
import type { Log, SkillHomes } from "../../core/ports.ts";
import { explained } from "./explained.ts";
import { failedWith } from "./http-failure.ts";
import { READ } from "./permissions.ts";

/** What GitHub answers when the App is not installed on a repository, or there is none. */
const NOT_THERE = [403, 404, 422];
const HOME = ".github";
/** How long an answer holds: each costs a token, and jobs come in crowds. */
const HOLDS_MS = 60_000;

/** Where GitHub keeps skills: see the port. */
export function createSkillHomes(deps: {
  octokitFor: (repo: RepoRef) => Octokit;
  /** An Octokit that speaks as the App itself. */
  app: Octokit;
  /** An Octokit that sends this token. */
  octokitWith: (token: string) => Octokit;
  /** Ends a token. */
  revoke: (token: string) => Promise<void>;
  onToken: (token: string, alive: boolean) => void;
  log: Log;
}): SkillHomes {
  const homes = new Map<string, { at: number; home: Promise<RepoRef | null> }>();

  function lookUp(repo: RepoRef): Promise<RepoRef | null> {
    const { installationId, owner } = repo;
    return explained(`read ${owner}/${HOME}`, repo, READ, async () => {
      // Its number is not known yet, so the token is asked for by name. It may see that it is there, no more.
      const token = await tokenByName(deps.app, installationId);
      if (token === null) {
        deps.log.debug({ owner }, "the App is not installed on a .github repository of this owner");
        return null;
      }
      deps.onToken(token, true);
      try {
        const { data } = await deps.octokitWith(token).rest.repos.get({ owner, repo: HOME });
        return typeof data?.id === "number" &&
          data.owner?.login?.toLowerCase() === owner.toLowerCase()
          ? { installationId, id: data.id, owner, name: HOME }
          : null;
      } catch (error) {
        if (failedWith(error, 401, ...NOT_THERE)) return null;
        throw error;
      } finally {
        await deps.revoke(token);
        deps.onToken(token, false);
      }
    });
  }

  return {
    async organisation(repo) {
      if (repo.name.toLowerCase() === HOME) return null;
      const key = `${repo.installationId}/${repo.owner.toLowerCase()}`;
      const known = homes.get(key);
      if (known && performance.now() - known.at < HOLDS_MS) return known.home;
      const home = lookUp(repo);
      homes.set(key, { at: performance.now(), home });
      // What could not be read is asked for again.
      home.catch(() => homes.delete(key));
      return home;
    },

    folders: (repo, path) =>
      explained(`read ${path}`, repo, READ, async () => {
        const found = await contents(repo, path);
        if (Array.isArray(found)) return namesIn(found);
        // GitHub follows no link to a folder.
        const target = found?.type === "symlink" && "target" in found ? found.target : null;
        const at = typeof target === "string" ? posix.join(posix.dirname(path), target) : "..";
        if (at === "." || posix.isAbsolute(target ?? "") || at.split("/")[0] === "..") return [];
        const behind = await contents(repo, at.replace(/\/$/, ""));
        return Array.isArray(behind) ? namesIn(behind) : [];
      }),
  };

  /** What GitHub has at a path of the default branch; null when there is nothing. */
  async function contents(repo: RepoRef, path: string) {
    const { owner, name } = repo;
    try {
      const octokit = deps.octokitFor(repo);
      return (await octokit.rest.repos.getContent({ owner, repo: name, path })).data;
    } catch (error) {
      if (failedWith(error, 404)) return null;
      throw error;
    }
  }
}

/** Folders, and links that may lead to one; that is seen when they are read. */
function namesIn(found: readonly { type: string; name: string }[]): string[] {
  return found.filter(({ type }) => /^(dir|symlink)$/.test(type)).map(({ name }) => name);
}

async function tokenByName(app: Octokit, installationId: number): Promise<string | null> {
  try {
    const { data } = await app.rest.apps.createInstallationAccessToken({
      installation_id: installationId,
      repositories: [HOME],
      permissions: { metadata: "read" },
    });
    return typeof data?.token === "string" && data.token !== "" ? data.token : null;
  } catch (error) {
    if (failedWith(error, ...NOT_THERE)) return null;
    throw error;
  }
}
