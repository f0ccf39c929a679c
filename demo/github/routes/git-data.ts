import { z } from "zod";
import { git, resolve, tryGit } from "../bare.ts";
import { created, notFound, ok, Problem, type Reply } from "../reply.ts";
import { parseBody, type RepositoryCall, type Route, repositoryRoute } from "../router.ts";
import { botLogin, timestamp, userOf } from "../state.ts";
import { checkWorkflows } from "../workflows.ts";

const sha = z.string().regex(/^[0-9a-f]{40}$/, "must be a full object id");
const person = z.object({ name: z.string(), email: z.string(), date: z.string().optional() });
const commitRequest = z.object({
  message: z.string(),
  tree: sha,
  parents: z.array(sha).default([]),
  author: person.optional(),
  committer: person.optional(),
});
const refRequest = z.object({ ref: z.string(), sha });
const refUpdate = z.object({ sha, force: z.boolean().default(false) });

/** The Git data API: refs, commits, trees and blobs. */
export const gitDataRoutes: Route[] = [
  repositoryRoute("GET /git/ref/*ref", ["contents:read"], async (call) => {
    const found = await refShape(call, `refs/${call.params.ref}`);
    if (!found) throw notFound();
    return ok(found);
  }),
  repositoryRoute("GET /git/matching-refs/*ref", ["contents:read"], async (call) => {
    const prefix = `refs/${call.params.ref}`;
    const format = ["--format=%(refname)", "refs/"];
    const names = (await git(call.repository.path, ["for-each-ref", ...format])).split("\n");
    const matching = names.filter((name) => name.startsWith(prefix));
    return ok(await Promise.all(matching.map((name) => refShape(call, name))));
  }),
  repositoryRoute("POST /git/refs", ["contents:write"], async (call) => {
    const { ref, sha } = parseBody(call, refRequest);
    if (!/^refs\/[^/]+\/./.test(ref)) {
      throw new Problem(
        422,
        "Reference name must start with 'refs/' and have at least two slashes.",
      );
    }
    const { path } = call.repository;
    if (await refShape(call, ref)) throw new Problem(422, "Reference already exists");
    if (!(await resolve(path, sha, "commit"))) throw new Problem(422, "Object does not exist");
    await checkWorkflows(path, sha, call.caller);
    const { code } = await tryGit(path, ["update-ref", ref, sha, "0".repeat(40)]);
    if (code !== 0) throw new Problem(422, `${ref} is not a valid ref name.`);
    return created(await refShape(call, ref));
  }),
  repositoryRoute("PATCH /git/refs/*ref", ["contents:write"], async (call) => {
    const { sha, force } = parseBody(call, refUpdate);
    const { path } = call.repository;
    const ref = `refs/${call.params.ref}`;
    const before = await resolve(path, ref, "object");
    if (!before) throw new Problem(422, "Reference does not exist");
    if (!(await resolve(path, sha, "commit"))) throw new Problem(422, "Object does not exist");
    await checkWorkflows(path, sha, call.caller);
    const forward = await tryGit(path, ["merge-base", "--is-ancestor", before, sha]);
    if (forward.code !== 0 && !force) throw new Problem(422, "Update is not a fast forward");
    const { code } = await tryGit(path, ["update-ref", ref, sha, before]);
    if (code !== 0) throw new Problem(409, "Reference cannot be updated");
    return ok(await refShape(call, ref));
  }),
  repositoryRoute("DELETE /git/refs/*ref", ["contents:write"], async (call) => {
    const ref = `refs/${call.params.ref}`;
    if (!(await refShape(call, ref))) throw new Problem(422, "Reference does not exist");
    await git(call.repository.path, ["update-ref", "-d", ref]);
    return { status: 204 };
  }),
  repositoryRoute("POST /git/commits", ["contents:write"], createCommit),
  repositoryRoute("GET /git/commits/:sha", ["contents:read"], async (call) => {
    const found = await resolve(call.repository.path, call.params.sha ?? "", "commit");
    if (!found) throw notFound();
    return ok(await commitShape(call, found, false));
  }),
  repositoryRoute("GET /git/trees/:sha", ["contents:read"], async (call) => {
    const { path } = call.repository;
    const found = await resolve(path, call.params.sha ?? "", "tree");
    if (!found) throw notFound();
    const deep = call.query.has("recursive") ? ["-r", "-t"] : [];
    const listed = await git(path, ["ls-tree", "-z", "--long", ...deep, found]);
    const tree = listed.split("\0").flatMap((line) => {
      const [meta = "", name] = line.split("\t");
      const [mode, type, sha, size] = meta.split(/\s+/);
      return name
        ? [{ path: name, mode, type, sha, ...(type === "blob" && { size: Number(size) }) }]
        : [];
    });
    return ok({ sha: found, tree, truncated: false });
  }),
  repositoryRoute("GET /git/blobs/:sha", ["contents:read"], async (call) => {
    const { path } = call.repository;
    const found = await resolve(path, call.params.sha ?? "", "blob");
    if (!found) throw notFound();
    const { stdout } = await tryGit(path, ["cat-file", "blob", found]);
    const content = stdout.toString("base64");
    return ok({ sha: found, size: stdout.byteLength, content, encoding: "base64" });
  }),
];

async function refShape(call: RepositoryCall, ref: string) {
  const { state, repository } = call;
  const listed = await tryGit(repository.path, ["show-ref", "--verify", "--hash", "--", ref]);
  if (listed.code !== 0) return null;
  const sha = listed.stdout.toString().trim();
  const api = `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/git`;
  return {
    ref,
    node_id: `REF_${Buffer.from(ref).toString("base64url")}`,
    url: `${api}/${ref}`,
    object: { type: "commit", sha, url: `${api}/commits/${sha}` },
  };
}

async function createCommit(call: RepositoryCall): Promise<Reply> {
  const { state, repository } = call;
  const asked = parseBody(call, commitRequest);
  if (!(await resolve(repository.path, asked.tree, "tree"))) {
    throw new Problem(422, "Tree SHA does not exist");
  }
  for (const parent of asked.parents) {
    if (await resolve(repository.path, parent, "commit")) continue;
    throw new Problem(422, "Parent SHA does not exist or is not a commit object");
  }
  const bot = userOf(state, botLogin(state));
  const host = new URL(state.url).hostname;
  const app = { name: bot.login, email: `${bot.id}+${bot.login}@users.noreply.${host}` };
  const author = { date: timestamp(), ...(asked.author ?? app) };
  const committer = { date: author.date, ...(asked.committer ?? asked.author ?? app) };
  const parents = asked.parents.flatMap((parent) => ["-p", parent]);
  const made = await git(
    repository.path,
    ["-c", "i18n.commitEncoding=utf-8", "commit-tree", asked.tree, ...parents, "-F", "-"],
    {
      input: asked.message,
      env: {
        GIT_AUTHOR_NAME: author.name,
        GIT_AUTHOR_EMAIL: author.email,
        GIT_AUTHOR_DATE: author.date ?? timestamp(),
        GIT_COMMITTER_NAME: committer.name,
        GIT_COMMITTER_EMAIL: committer.email,
        GIT_COMMITTER_DATE: committer.date ?? timestamp(),
      },
    },
  );
  // GitHub signs a commit made by an App that names no author. The stand-in signs nothing: it only
  // answers in the same words, so nothing may be shown as signed because of this answer.
  return created(await commitShape(call, made, !asked.author && !asked.committer));
}

async function commitShape(call: RepositoryCall, sha: string, verified: boolean) {
  const { state, repository } = call;
  const format = "--format=%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B";
  const lines = (await git(repository.path, ["show", "-s", format, sha, "--"])).split("\n");
  const [tree = "", parents = "", an, ae, ad, cn, ce, cd, ...message] = lines;
  const web = `${state.url}/${repository.owner}/${repository.name}/commit`;
  const api = `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/git`;
  return {
    sha,
    node_id: `C_${sha}`,
    url: `${api}/commits/${sha}`,
    html_url: `${web}/${sha}`,
    author: { name: an, email: ae, date: ad },
    committer: { name: cn, email: ce, date: cd },
    tree: { sha: tree, url: `${api}/trees/${tree}` },
    message: message.join("\n").trimEnd(),
    parents: parents
      .split(" ")
      .filter(Boolean)
      .map((each) => ({ sha: each, url: `${api}/commits/${each}`, html_url: `${web}/${each}` })),
    verification: verified
      ? { verified, reason: "valid", signature: null, payload: null, verified_at: timestamp() }
      : { verified, reason: "unsigned", signature: null, payload: null, verified_at: null },
  };
}
