import { allows, type Caller, sees } from "./access.ts";
import { tryGit } from "./bare.ts";
import type { Reply } from "./reply.ts";
import { findRepository, formerly } from "./router.ts";
import type { State } from "./state.ts";
import { workflowsEnv } from "./workflows.ts";

/** A request of a git client. */
export interface GitRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | undefined>;
  body: Buffer;
}

const PATTERN =
  /^\/(?<owner>[^/]+)\/(?<name>[^/]+?)(?:\.git)?\/(?<rest>info\/refs|git-upload-pack|git-receive-pack)$/;

/** Whether a path is one of the smart HTTP protocol's. */
export function isGitPath(path: string): boolean {
  return PATTERN.test(path);
}

/**
 * Serves fetch and push by `git http-backend`. Nothing is public: without a token the client is asked
 * for one, a token of another repository sees nothing, and a push needs `contents: write`.
 */
export async function serveGit(state: State, caller: Caller, request: GitRequest): Promise<Reply> {
  const { owner = "", name = "", rest = "" } = PATTERN.exec(request.path)?.groups ?? {};
  if (caller.kind !== "installation") {
    const headers = { "www-authenticate": 'Basic realm="GitHub"' };
    return { status: 401, headers, body: Buffer.from("Repository not found.\n") };
  }
  const repository = findRepository(state, owner, name);
  const moved = repository ? undefined : formerly(state, owner, name);
  if (moved) {
    const query = request.query.size > 0 ? `?${request.query}` : "";
    const location = `${state.url}/${moved.owner}/${moved.name}.git/${rest}${query}`;
    return { status: 301, headers: { location }, body: Buffer.from("Moved.\n") };
  }
  const { permissions } = caller.token;
  const seen = repository && sees(caller.token, repository);
  if (!seen || !allows(permissions, "contents", "read")) {
    return { status: 404, body: Buffer.from("Repository not found.\n") };
  }
  const service = rest === "info/refs" ? request.query.get("service") : rest;
  if (service === "git-receive-pack" && !allows(permissions, "contents", "write")) {
    return { status: 403, body: Buffer.from("Write access to repository not granted.\n") };
  }
  if (service === "git-receive-pack" && repository.archived) {
    const words = "This repository was archived so it is read-only.\n";
    return { status: 403, body: Buffer.from(words) };
  }

  const env = {
    GIT_PROJECT_ROOT: repository.path,
    GIT_HTTP_EXPORT_ALL: "1",
    REMOTE_USER: "x-access-token",
    REMOTE_ADDR: "127.0.0.1",
    REQUEST_METHOD: request.method,
    PATH_INFO: `/${rest}`,
    QUERY_STRING: request.query.toString(),
    CONTENT_TYPE: request.headers["content-type"] ?? "",
    CONTENT_LENGTH: String(request.body.length),
    HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
    GIT_PROTOCOL: request.headers["git-protocol"] ?? "",
    ...workflowsEnv(caller),
  };
  const result = await tryGit(repository.path, ["http-backend"], { input: request.body, env });
  if (result.code !== 0 && result.stdout.length === 0) {
    return { status: 500, body: Buffer.from(result.stderr) };
  }
  return parseCgi(result.stdout);
}

/** A CGI answer: header lines, an empty line, the body; `Status:` names a status other than 200. */
function parseCgi(output: Buffer): Reply {
  const end = output.indexOf("\r\n\r\n");
  const headers: Record<string, string> = {};
  for (const line of output.subarray(0, end).toString().split("\r\n")) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { status = "200", ...rest } = headers;
  return { status: Number.parseInt(status, 10), headers: rest, body: output.subarray(end + 4) };
}
