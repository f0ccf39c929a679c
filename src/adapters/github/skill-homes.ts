import type { Octokit } from "@octokit/rest";
import type { RepoRef } from "../../core/job.ts";
import type { Log, SkillHomes, TreeEntry, TreeFiles } from "../../core/ports.ts";
import { explained } from "./explained.ts";
import { failedWith } from "./http-failure.ts";
import { READ } from "./permissions.ts";

/** What GitHub answers when the App is not installed on a repository, or there is none. */
const NOT_THERE = [403, 404, 422];
const HOME = ".github";
/** The mode of a folder in git. */
const FOLDER = "040000";
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

    async files(repo) {
      const { owner, name } = repo;
      const at = { owner, repo: name };
      const read = <T>(what: string, work: (octokit: Octokit) => Promise<T>) =>
        explained(`read ${what}`, repo, READ, () => work(deps.octokitFor(repo)));
      const root = await read("the default branch", async ({ rest }) => {
        try {
          // Without a name it is the default branch.
          const { data } = await rest.repos.listCommits({ ...at, per_page: 1 });
          return data[0]?.commit.tree.sha ?? null;
        } catch (error) {
          // Nothing was ever pushed.
          if (failedWith(error, 404, 409)) return null;
          throw error;
        }
      });
      if (root === null) return null;
      return filesOf(root, {
        tree: (id, whole) =>
          read("a folder", async ({ rest }) => {
            const asked = { ...at, tree_sha: id, ...(whole && { recursive: "1" }) };
            return (await rest.git.getTree(asked)).data;
          }),
        blob: (id) =>
          read("a file", async ({ rest }) => {
            const { data } = await rest.git.getBlob({ ...at, file_sha: id });
            return Buffer.from(data.content, "base64");
          }),
      });
    },
  };
}

/** What GitHub says of a tree; `truncated` when it is more than it lists. */
interface Listed {
  tree: { path?: string; mode?: string; sha?: string; size?: number }[];
  truncated: boolean;
}

/** The files of a commit by its root tree, each folder on the way read once. */
function filesOf(
  root: string,
  ask: {
    tree: (id: string, whole: boolean) => Promise<Listed>;
    blob: (id: string) => Promise<Uint8Array>;
  },
): TreeFiles {
  const known = new Map<string, Promise<TreeEntry[]>>();
  async function right(id: string, folder: string): Promise<TreeEntry[]> {
    const listed = known.get(folder) ?? ask.tree(id, false).then((got) => entriesOf(got, folder));
    known.set(folder, listed);
    return listed;
  }
  async function entry(path: string): Promise<TreeEntry | null> {
    let found: TreeEntry | null = { path: "", mode: FOLDER, id: root, size: 0 };
    for (const name of path.split("/")) {
      if (found?.mode !== FOLDER) return null;
      const above: TreeEntry = found;
      const inside = await right(above.id, above.path);
      const at = above.path === "" ? name : `${above.path}/${name}`;
      found = inside.find((each) => each.path === at) ?? null;
    }
    return found;
  }
  return {
    entry,
    async entries(folder, most) {
      const found = await entry(folder);
      if (found?.mode !== FOLDER) return [];
      const listed = await ask.tree(found.id, true);
      const entries = entriesOf(listed, folder).filter(({ mode }) => mode !== FOLDER);
      return listed.truncated || entries.length > most ? null : entries;
    },
    async bytes(id, maxBytes) {
      const bytes = await ask.blob(id);
      if (bytes.byteLength <= maxBytes) return bytes;
      throw new Error(`the object ${id} is larger than ${maxBytes} bytes`);
    },
  };
}

function entriesOf({ tree }: Listed, folder: string): TreeEntry[] {
  return tree.map(({ path = "", mode = "", sha = "", size = 0 }) => ({
    path: folder === "" ? path : `${folder}/${path}`,
    ...{ mode, id: sha, size },
  }));
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
