import type { z } from "zod";
import { allows, type Caller, sees } from "./access.ts";
import { notAccessible, notFound, Problem, type Reply } from "./reply.ts";
import type { Access, Repository, State } from "./state.ts";

/** One request to the REST API, after its path was matched. */
export interface Call {
  state: State;
  method: string;
  caller: Caller;
  params: Record<string, string>;
  query: URLSearchParams;
  accept: string;
  body: Buffer;
}

/** A request about a repository that its caller may see. */
export interface RepositoryCall extends Call {
  repository: Repository;
}

interface RouteBase {
  method: string;
  pattern: RegExp;
}

/** A route and who may take it: the App itself, any installation token, or one with a permission on the repository. */
export type Route = RouteBase &
  (
    | { by: "app" | "installation"; handle: (call: Call) => Reply | Promise<Reply> }
    | {
        by: "repository";
        anyOf: [string, Access][];
        handle: (call: RepositoryCall) => Reply | Promise<Reply>;
      }
  );

/** A route only the App's own JWT (`app`) or only an installation token may take. */
export function route(
  by: "app" | "installation",
  target: string,
  handle: (call: Call) => Reply | Promise<Reply>,
): Route {
  return { by, ...matcher(target), handle };
}

/** A route below `/repos/:owner/:repo`; one of the permissions (`"contents:write"`) is enough. */
export function repositoryRoute(
  target: string,
  anyOf: `${string}:${Access}`[],
  handle: (call: RepositoryCall) => Reply | Promise<Reply>,
): Route {
  const [method = "", path = ""] = target.split(" ");
  return {
    by: "repository",
    ...matcher(`${method} /repos/:owner/:repo${path}`),
    anyOf: anyOf.map(parsePermission),
    handle,
  };
}

function parsePermission(text: string): [string, Access] {
  const [name = "", access] = text.split(":");
  return [name, access === "write" ? "write" : "read"];
}

/** `:name` matches one component, `*name` the rest of the path. */
function matcher(target: string): RouteBase {
  const [method = "", path = ""] = target.split(" ");
  const source = path.replace(/:(\w+)/g, "(?<$1>[^/]+)").replace(/\*(\w+)/g, "(?<$1>.+)");
  return { method, pattern: new RegExp(`^${source}$`) };
}

/** Finds the route of a request, checks that its caller may take it, and answers. */
export async function dispatch(
  routes: Route[],
  method: string,
  path: string,
  call: Omit<Call, "params" | "method">,
): Promise<Reply> {
  const moved = movedTo(call.state, path);
  if (moved !== null) {
    const location = `${call.state.url}/api/v3${moved}${call.query.size > 0 ? `?${call.query}` : ""}`;
    return { status: 301, headers: { location }, body: { message: "Moved Permanently" } };
  }
  const named = byName(call.state, path);
  for (const candidate of routes) {
    if (candidate.method !== method) continue;
    const match = candidate.pattern.exec(named);
    if (!match) continue;
    const params = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]),
    );
    const full = { ...call, method, params };
    if (candidate.by !== "repository") {
      if (call.caller.kind !== candidate.by) throw wrongCaller(candidate.by);
      return candidate.handle(full);
    }
    return candidate.handle({ ...full, repository: accessible(full, candidate.anyOf) });
  }
  throw notFound();
}

/** Where GitHub sends a request on that names a repository as it was called before. */
function movedTo(state: State, path: string): string | null {
  const [, owner = "", name = "", rest = ""] = /^\/repos\/([^/]+)\/([^/]+)(.*)$/.exec(path) ?? [];
  if (findRepository(state, owner, name)) return null;
  const found = formerly(state, owner, name);
  return found ? `/repositories/${found.id}${rest}` : null;
}

/** The repository that was called so before. */
export function formerly(state: State, owner: string, name: string): Repository | undefined {
  return state.repositories.find(({ formerNames }) => formerNames.includes(`${owner}/${name}`));
}

/** The same path with the name in place of the number. */
function byName(state: State, path: string): string {
  const [, id, rest = ""] = /^\/repositories\/(\d+)(.*)$/.exec(path) ?? [];
  const found = state.repositories.find((repository) => repository.id === Number(id));
  return found ? `/repos/${found.owner}/${found.name}${rest}` : path;
}

function wrongCaller(wanted: "app" | "installation"): Problem {
  return wanted === "app"
    ? new Problem(401, "A JSON web token could not be decoded")
    : new Problem(401, "Requires authentication");
}

/** The repository of a call: 404 outside the token's repositories, 403 without the permission. */
function accessible(call: Call, anyOf: [string, Access][]): Repository {
  const { state, caller, params } = call;
  const repository = findRepository(state, params.owner ?? "", params.repo ?? "");
  if (caller.kind === "app") throw new Problem(401, "Bad credentials");
  if (caller.kind === "nobody" || !repository) throw notFound();
  if (!sees(caller.token, repository)) throw notFound();
  const permitted = anyOf.some(([name, access]) => allows(caller.token.permissions, name, access));
  if (!permitted) throw notAccessible();
  if (repository.archived && call.method !== "GET") {
    throw new Problem(403, "Repository was archived so is read-only.");
  }
  return repository;
}

/** Repository by name; names are not case-sensitive. */
export function findRepository(state: State, owner: string, name: string): Repository | undefined {
  const wanted = `${owner}/${name}`.toLowerCase();
  return state.repositories.find(
    (repository) => `${repository.owner}/${repository.name}`.toLowerCase() === wanted,
  );
}

/** The JSON body of a call, checked: 400 when it is not JSON, 422 when it does not fit. */
export function parseBody<T>(call: Call, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = call.body.length === 0 ? {} : JSON.parse(call.body.toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw new Problem(400, "Problems parsing JSON");
    throw error;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Problem(422, `Invalid request.\n\n${reasons.join("\n")}`);
}

/** One page of a list, with GitHub's Link header when there are more. */
export function page(call: Call, path: string, all: unknown[]): Reply {
  const size = Math.min(100, Math.max(1, Number(call.query.get("per_page") ?? 30) || 30));
  const number = Math.max(1, Number(call.query.get("page") ?? 1) || 1);
  const last = Math.max(1, Math.ceil(all.length / size));
  const link = (to: number, rel: string) => {
    const query = new URLSearchParams(call.query);
    query.set("page", String(to));
    return `<${call.state.url}/api/v3${path}?${query}>; rel="${rel}"`;
  };
  const links: string[] = [];
  if (number > 1) links.push(link(1, "first"), link(number - 1, "prev"));
  if (number < last) links.push(link(number + 1, "next"), link(last, "last"));
  return {
    status: 200,
    ...(links.length > 0 && { headers: { link: links.join(", ") } }),
    body: all.slice((number - 1) * size, number * size),
  };
}
