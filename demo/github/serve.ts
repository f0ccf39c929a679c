import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { type Caller, identify } from "./access.ts";
import { isGitPath, serveGit } from "./git-http.ts";
import { Problem, type Reply } from "./reply.ts";
import { dispatch, type Route } from "./router.ts";
import { appRoutes } from "./routes/app.ts";
import { checkRoutes } from "./routes/checks.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { gitDataRoutes } from "./routes/git-data.ts";
import { issueRoutes } from "./routes/issues.ts";
import { pullRoutes } from "./routes/pulls.ts";
import { repositoryRoutes } from "./routes/repository.ts";
import { reviewRoutes } from "./routes/reviews.ts";
import type { Permissions, State } from "./state.ts";

/** One request as it came in; `status` is what its sender saw, null while unanswered or dropped. */
export interface RecordedRequest {
  method: string;
  /** Without the /api/v3 of an Enterprise host. */
  path: string;
  query: string;
  /** "unknown" stands for credentials that are refused. */
  actor: Caller["kind"] | "unknown";
  /** The installation token it came with. */
  token: string | null;
  /** What the installation token may do. */
  permissions: Permissions;
  /** The JSON that was sent, if it was JSON. */
  body: unknown;
  status: number | null;
}

/** A failure put in on purpose: before the request has any effect, or after it had its effect. */
export interface Fault {
  when: "before" | "after";
  /** The answer given instead, a connection that breaks without one, or one on which nothing ever comes. */
  answer: "drop" | "hang" | { status: number; headers?: Record<string, string>; body?: unknown };
}

const ROUTES: Route[] = [
  ...appRoutes,
  ...deliveryRoutes,
  ...checkRoutes,
  ...reviewRoutes,
  ...repositoryRoutes,
  ...gitDataRoutes,
  ...issueRoutes,
  ...pullRoutes,
];

/** Answers one HTTP request: records it, lets the fault act, and routes it to git or to the API. */
export async function serve(
  state: State,
  requests: RecordedRequest[],
  fault: (request: RecordedRequest) => Fault | undefined | Promise<Fault | undefined>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const url = new URL(incoming.url ?? "/", state.url);
  const path = url.pathname.replace(/^\/api(?:\/v3(?=\/)|(?=\/graphql$))/, "");
  const body = await buffer(incoming);
  const caller = callerOf(state, incoming.headers.authorization);
  const token = !(caller instanceof Problem) && "token" in caller ? caller.token : null;
  const recorded: RecordedRequest = {
    method: incoming.method ?? "GET",
    path,
    query: url.search.slice(1),
    actor: caller instanceof Problem ? "unknown" : caller.kind,
    token: token?.value ?? null,
    permissions: token?.permissions ?? {},
    body: jsonOf(incoming.headers["content-type"], body),
    status: null,
  };
  requests.push(recorded);

  const planned = await fault(recorded);
  let reply: Reply | null = null;
  if (planned?.when !== "before") {
    reply = await answer(() => {
      if (caller instanceof Problem) throw caller;
      const { method } = recorded;
      if (isGitPath(path)) {
        const headers = plainHeaders(incoming);
        return serveGit(state, caller, { method, path, query: url.searchParams, headers, body });
      }
      const accept = incoming.headers.accept ?? "";
      return dispatch(ROUTES, method, path, {
        state,
        caller,
        query: url.searchParams,
        accept,
        body,
      });
    });
  }
  if (planned?.answer === "hang") return;
  if (planned) reply = planned.answer === "drop" ? null : planned.answer;
  if (!reply) {
    incoming.socket.destroy();
    return;
  }
  recorded.status = reply.status;
  send(outgoing, reply);
}

function callerOf(state: State, authorization: string | undefined): Caller | Problem {
  try {
    return identify(state, authorization);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

async function answer(handle: () => Promise<Reply>): Promise<Reply> {
  try {
    return await handle();
  } catch (error) {
    if (error instanceof Problem) return error.reply;
    console.error("GitHub stand-in:", error);
    return { status: 500, body: { message: "Server Error" } };
  }
}

function send(outgoing: ServerResponse, reply: Reply): void {
  const raw = Buffer.isBuffer(reply.body);
  const body = raw ? reply.body : JSON.stringify(reply.body);
  outgoing.writeHead(reply.status, {
    ...(reply.body !== undefined && !raw && { "content-type": "application/json; charset=utf-8" }),
    "x-github-request-id": randomUUID(),
    "x-github-media-type": "github.v3; format=json",
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4999",
    "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 3600),
    ...reply.headers,
  });
  outgoing.end(reply.status === 204 ? undefined : body);
}

function jsonOf(type: string | undefined, body: Buffer): unknown {
  if (!type?.includes("json") || body.length === 0) return null;
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function plainHeaders(incoming: IncomingMessage): Record<string, string | undefined> {
  const entries = Object.entries(incoming.headers);
  return Object.fromEntries(entries.map(([key, value]) => [key, [value].flat().join(", ")]));
}
