import type { RestEndpointMethodTypes } from "@octokit/rest";
import { branchTip, git, resolve, tryGit } from "../bare.ts";
import { notFound, ok, Problem, type Reply } from "../reply.ts";
import { type RepositoryCall, type Route, repositoryRoute } from "../router.ts";
import { repositoryShape } from "../shapes/repository.ts";
import { userShape } from "../shapes/user.ts";
import type { Repository, Role, State } from "../state.ts";

/** The old four-step scale that `permission` still uses. */
const PERMISSION: Record<Role | "none", "admin" | "write" | "read" | "none"> = {
  admin: "admin",
  maintain: "write",
  write: "write",
  triage: "read",
  read: "read",
  none: "none",
};

/** Questions about a repository, its people and the files of a commit. */
export const repositoryRoutes: Route[] = [
  repositoryRoute("GET ", ["metadata:read"], ({ state, repository }) =>
    ok(fullRepository(state, repository)),
  ),
  repositoryRoute(
    "GET /collaborators/:user/permission",
    ["metadata:read"],
    ({ state, repository, params }) => {
      const login = params.user ?? "";
      if (!state.users.has(login)) throw notFound();
      const role = repository.collaborators[login] ?? "none";
      return ok({
        permission: PERMISSION[role],
        role_name: role,
        user: userShape(state, login),
      });
    },
  ),
  repositoryRoute("GET /branches/*branch", ["contents:read"], async (call) => {
    const { state, repository, params } = call;
    const name = params.branch ?? "";
    const sha = await branchTip(repository.path, name);
    if (!sha) throw new Problem(404, "Branch not found");
    const url = `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/commits/${sha}`;
    return ok({ name, commit: { sha, url }, protected: false });
  }),
  repositoryRoute("GET /commits", ["contents:read"], async (call) => {
    const { repository, query } = call;
    const name = query.get("sha") ?? repository.defaultBranch;
    const tip = await resolve(repository.path, name, "commit");
    if (!tip) throw new Problem(409, "Git Repository is empty.");
    const most = Math.min(Number(query.get("per_page") ?? 30), 100);
    const format = "--format=%H %T %s";
    const log = await git(repository.path, ["log", `--max-count=${most}`, format, tip, "--"]);
    const found = log.split("\n").filter(Boolean);
    return ok(
      found.map((line) => {
        const [sha, tree, ...message] = line.split(" ");
        return { sha, commit: { message: message.join(" "), tree: { sha: tree } } };
      }),
    );
  }),
  repositoryRoute("GET /commits/*ref", ["contents:read"], async (call) => {
    const { repository, params, accept } = call;
    const ref = params.ref ?? "";
    const sha = await resolve(
      repository.path,
      ref.replace(/^(heads|tags)\//, "refs/$1/"),
      "commit",
    );
    if (!sha) throw new Problem(422, `No commit found for SHA: ${ref}`);
    if (accept.includes(".sha")) return { status: 200, body: Buffer.from(sha) };
    const message = await git(repository.path, ["show", "-s", "--format=%B", sha, "--"]);
    return ok({ sha, commit: { message } });
  }),
  repositoryRoute("GET /contents/*path", ["contents:read"], contents),
];

type FullRepository = RestEndpointMethodTypes["repos"]["get"]["response"]["data"];

function fullRepository(state: State, repository: Repository): FullRepository {
  const shape = repositoryShape(state, repository);
  return { ...shape, subscribers_count: 0, network_count: 0 };
}

async function contents(call: RepositoryCall): Promise<Reply> {
  const { repository, params, query, accept } = call;
  const path = (params.path ?? "").replace(/\/+$/, "");
  const ref = query.get("ref") ?? repository.defaultBranch;
  const commit = await resolve(repository.path, ref, "commit");
  if (!commit) {
    if (!query.get("ref")) throw new Problem(404, "This repository is empty.");
    throw new Problem(404, `No commit found for the ref ${ref}`);
  }
  const literal = { env: { GIT_LITERAL_PATHSPECS: "1" } };
  const listed = await git(
    repository.path,
    ["ls-tree", "-z", "--long", commit, "--", path],
    literal,
  );
  const [meta = "", name] = (listed.split("\0")[0] ?? "").split("\t");
  const [mode = "", type = "", sha = "", size = "0"] = meta.split(/\s+/);
  if (!name) throw notFound();
  if (type === "tree") {
    const entries = await git(
      repository.path,
      ["ls-tree", "-z", commit, "--", `${path}/`],
      literal,
    );
    const kinds: Record<string, string> = { "040000": "dir", "120000": "symlink" };
    const found = entries.split("\0").filter(Boolean);
    return ok(
      found.map((entry) => {
        const [facts = "", each = ""] = entry.split("\t");
        const name = each.split("/").at(-1);
        return { type: kinds[facts.slice(0, 6)] ?? "file", path: each, name };
      }),
    );
  }
  if (type === "commit") return ok({ type: "submodule", path, sha, size: 0 });
  const { stdout } = await tryGit(repository.path, ["cat-file", "blob", sha]);
  if (accept.includes("raw")) {
    const headers = { "content-type": "application/vnd.github.raw; charset=utf-8" };
    return { status: 200, headers, body: stdout };
  }
  return ok({
    type: mode === "120000" ? "symlink" : "file",
    encoding: "base64",
    size: Number(size),
    name: path.split("/").at(-1),
    path,
    sha,
    content: stdout.toString("base64"),
  });
}
